package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
)

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// target is where an operation works: an attribute, of its elements those that a filter selects, of these a part.
type target struct{ urn, attribute, filterName, filterValue, part string }

var (
	pathForm = regexp.MustCompile(
		`(?i)^(?:(urn:.+):)?([a-z$][\w$-]*)(?:\[\s*([\w$-]+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*\])?(?:\.([\w$-]+))?$`,
	)
	extension = regexp.MustCompile(`(?i)^urn:.+:2\.0:User$`)
)

const coreURN = "urn:ietf:params:scim:schemas:core:2.0:user"

// patched applies the operations of a PATCH (RFC 7644 section 3.5.2) to the members of a document.
func patched(members, body []byte) ([]byte, error) {
	document := map[string]any{}
	if err := json.Unmarshal([]byte("{"+string(members)+"}"), &document); err != nil {
		panic(err)
	}
	var request struct{ Operations []operation }
	if json.Unmarshal(body, &request) != nil || len(request.Operations) == 0 {
		return nil, refusal{http.StatusBadRequest, "invalidSyntax", "Operations are missing"}
	}
	for _, each := range request.Operations {
		if err := apply(document, each); err != nil {
			return nil, err
		}
	}
	return json.Marshal(document)
}

func apply(document map[string]any, each operation) error {
	op := strings.ToLower(each.Op)
	if op != "add" && op != "replace" && op != "remove" {
		return refusal{http.StatusBadRequest, "invalidSyntax", "op is add, replace or remove"}
	}
	if each.Path == "" {
		values, isObject := each.Value.(map[string]any)
		if !isObject || op == "remove" {
			return refusal{http.StatusBadRequest, "noTarget", "an operation without a path takes an object"}
		}
		for name, value := range values {
			put(document, name, value, op)
		}
		return nil
	}
	at, err := parsePath(each.Path)
	if err != nil {
		return err
	}
	return applyAt(document, at, op, each.Value)
}

func parsePath(path string) (target, error) {
	if extension.MatchString(path) {
		return target{attribute: path}, nil
	}
	parts := pathForm.FindStringSubmatch(path)
	if parts == nil {
		return target{}, refusal{http.StatusBadRequest, "invalidPath", "the path can't be read"}
	}
	at := target{urn: parts[1], attribute: parts[2], filterName: parts[3], part: parts[5]}
	if parts[4] != "" && json.Unmarshal([]byte(parts[4]), &at.filterValue) != nil {
		return target{}, refusal{http.StatusBadRequest, "invalidPath", "the filter's value can't be read"}
	}
	if strings.ToLower(at.urn) == coreURN {
		at.urn = ""
	}
	return at, nil
}

func applyAt(document map[string]any, at target, op string, value any) error {
	if at.urn != "" {
		document = inside(document, at.urn)
	}
	if at.filterName != "" {
		return applyToElements(document, at, op, value)
	}
	if at.part != "" {
		document = inside(document, at.attribute)
		at.attribute = at.part
	}
	if op == "remove" {
		delete(document, spelled(document, at.attribute))
		return nil
	}
	put(document, at.attribute, value, op)
	return nil
}

// applyToElements edits the elements that the filter selects; without any the request fails, as the RFC has it.
func applyToElements(document map[string]any, at target, op string, value any) error {
	key := spelled(document, at.attribute)
	elements, _ := document[key].([]any)
	kept, hits := make([]any, 0, len(elements)), 0
	for _, element := range elements {
		if !selects(element, at) {
			kept = append(kept, element)
			continue
		}
		hits++
		fields, isObject := element.(map[string]any)
		switch {
		case op == "remove" && at.part == "":
			continue
		case op == "remove":
			delete(fields, spelled(fields, at.part))
		case at.part != "":
			put(fields, at.part, value, op)
		case isObject:
			values, _ := value.(map[string]any)
			for name, each := range values {
				put(fields, name, each, op)
			}
		}
		kept = append(kept, element)
	}
	if hits == 0 {
		return refusal{http.StatusBadRequest, "noTarget", "the filter selects nothing"}
	}
	document[key] = kept
	return nil
}

func selects(element any, at target) bool {
	fields, isObject := element.(map[string]any)
	if !isObject {
		return strings.EqualFold(at.filterName, "value") && element == any(at.filterValue)
	}
	held, isText := fields[spelled(fields, at.filterName)].(string)
	return isText && strings.EqualFold(held, at.filterValue)
}

// put adds or replaces a value: `add` to a list appends what is not in it, `add` to an object completes it.
func put(fields map[string]any, name string, value any, op string) {
	key := spelled(fields, name)
	if op == "add" {
		switch held := fields[key].(type) {
		case []any:
			fields[key] = union(held, value)
			return
		case map[string]any:
			if more, isObject := value.(map[string]any); isObject {
				for inner, each := range more {
					put(held, inner, each, op)
				}
				return
			}
		}
	}
	fields[key] = value
}

func union(held []any, value any) []any {
	more, isList := value.([]any)
	if !isList {
		more = []any{value}
	}
	for _, each := range more {
		known := false
		for _, other := range held {
			known = known || reflect.DeepEqual(other, each)
		}
		if !known {
			held = append(held, each)
		}
	}
	return held
}

// inside is the object under a name, made where there is none.
func inside(fields map[string]any, name string) map[string]any {
	key := spelled(fields, name)
	inner, isObject := fields[key].(map[string]any)
	if !isObject {
		inner = map[string]any{}
		fields[key] = inner
	}
	return inner
}

// spelled is the name as the object has it: names of attributes compare without case (RFC 7643 section 2.1).
func spelled(fields map[string]any, name string) string {
	if _, exact := fields[name]; exact {
		return name
	}
	for key := range fields {
		if strings.EqualFold(key, name) {
			return key
		}
	}
	return name
}
