package main

import (
	"embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	listURN     = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorURN    = "urn:ietf:params:scim:api:messages:2.0:Error"
	maxBody     = 1 << 20
	defaultPage = 100
	largestPage = 1000
)

//go:embed discovery.json
var files embed.FS

// refusal is an error answer (RFC 7644 section 3.12).
type refusal struct {
	status   int
	scimType string
	detail   string
}

func (r refusal) Error() string { return r.detail }

// answer is what a request comes to; a nil body is none.
type answer struct {
	status int
	etag   string
	place  string
	body   []byte
}

type app struct {
	delay     time.Duration
	users     *store
	counts    *counts
	discovery map[string]json.RawMessage
}

func newApp(delay time.Duration) *app {
	text, err := files.ReadFile("discovery.json")
	if err != nil {
		panic(err)
	}
	documents := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &documents); err != nil {
		panic(err)
	}
	return &app{delay: delay, users: newStore(), counts: newCounts(), discovery: documents}
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/-/") {
		a.control(w, r)
		return
	}
	kind := kindOf(r)
	result, err := a.dispatch(r, kind)
	var refused refusal
	if errors.As(err, &refused) {
		result = errorAnswer(refused)
	}
	a.counts.add(r.Method, kind, result.status)
	if a.delay > 0 {
		a.counts.waits(1)
		time.Sleep(a.delay)
		a.counts.waits(-1)
	}
	write(w, result)
	a.counts.answered(kind)
}

// kindOf names what is asked: the key under which a request is counted.
func kindOf(r *http.Request) string {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if segments[0] != "Users" {
		return "discovery"
	}
	if len(segments) == 1 {
		switch {
		case r.Method == http.MethodPost:
			return "create"
		case r.URL.Query().Get("filter") != "":
			return "find"
		}
		return "list"
	}
	switch r.Method {
	case http.MethodPatch:
		return "patch"
	case http.MethodPut:
		return "put"
	case http.MethodDelete:
		return "delete"
	}
	return "get"
}

func (a *app) dispatch(r *http.Request, kind string) (answer, error) {
	id := strings.TrimPrefix(r.URL.Path, "/Users/")
	switch {
	case kind == "discovery" && r.Method == http.MethodGet:
		return a.discover(r.URL.Path)
	case kind == "create":
		body, err := readBody(r)
		if err != nil {
			return answer{}, err
		}
		return a.users.create(body, base(r))
	case kind == "find" && r.Method == http.MethodGet:
		return a.users.find(r.URL.Query().Get("filter"), pageOf(r))
	case kind == "list" && r.Method == http.MethodGet:
		return a.users.list(pageOf(r)), nil
	case kind == "get" && r.Method == http.MethodGet:
		return a.users.get(id)
	case kind == "put" || kind == "patch":
		body, err := readBody(r)
		if err != nil {
			return answer{}, err
		}
		return a.users.change(id, body, r.Header.Get("If-Match"), kind == "patch")
	case kind == "delete":
		return answer{status: http.StatusNoContent}, a.users.remove(id)
	}
	return answer{}, refusal{http.StatusMethodNotAllowed, "", "not here"}
}

// discover answers the three documents of RFC 7644 section 4, whole or one item of a list.
func (a *app) discover(path string) (answer, error) {
	name, item, _ := strings.Cut(strings.Trim(path, "/"), "/")
	document, known := a.discovery[name]
	if !known {
		return answer{}, refusal{http.StatusNotFound, "", "there is no such endpoint"}
	}
	var items []json.RawMessage
	if json.Unmarshal(document, &items) != nil {
		return answer{status: http.StatusOK, body: document}, nil
	}
	if item == "" {
		return answer{status: http.StatusOK, body: listBody(len(items), 1, items)}, nil
	}
	for _, each := range items {
		var named struct{ ID string }
		if json.Unmarshal(each, &named) == nil && named.ID == item {
			return answer{status: http.StatusOK, body: each}, nil
		}
	}
	return answer{}, refusal{http.StatusNotFound, "", "there is no such document"}
}

func (a *app) control(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/-/counts" && r.Method == http.MethodGet:
		body, err := json.Marshal(a.counts.shown(a.users.size()))
		if err != nil {
			panic(err)
		}
		write(w, answer{status: http.StatusOK, body: body})
	case r.URL.Path == "/-/patches" && r.Method == http.MethodGet:
		body, err := json.Marshal(a.counts.patches())
		if err != nil {
			panic(err)
		}
		write(w, answer{status: http.StatusOK, body: body})
	case r.URL.Path == "/-/reset" && r.Method == http.MethodPost:
		a.users.reset()
		a.counts.reset()
		write(w, answer{status: http.StatusNoContent})
	default:
		write(w, errorAnswer(refusal{http.StatusNotFound, "", "GET /-/counts, GET /-/patches or POST /-/reset"}))
	}
}

// page is the window of a list (RFC 7644 section 3.4.2.4); start counts from 1.
type page struct{ start, count int }

func pageOf(r *http.Request) page {
	query := r.URL.Query()
	start, err := strconv.Atoi(query.Get("startIndex"))
	if err != nil || start < 1 {
		start = 1
	}
	count, err := strconv.Atoi(query.Get("count"))
	if err != nil {
		count = defaultPage
	}
	return page{start, min(max(count, 0), largestPage)}
}

func base(r *http.Request) string { return "http://" + r.Host }

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, refusal{http.StatusBadRequest, "invalidSyntax", "the body can't be read"}
	}
	return body, nil
}

func errorAnswer(r refusal) answer {
	document := map[string]any{"schemas": []string{errorURN}, "status": strconv.Itoa(r.status), "detail": r.detail}
	if r.scimType != "" {
		document["scimType"] = r.scimType
	}
	body, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return answer{status: r.status, body: body}
}

func write(w http.ResponseWriter, result answer) {
	header := w.Header()
	if result.etag != "" {
		header.Set("ETag", result.etag)
	}
	if result.place != "" {
		header.Set("Location", result.place)
	}
	if result.body != nil {
		header.Set("Content-Type", "application/scim+json")
		header.Set("Content-Length", strconv.Itoa(len(result.body)))
	}
	w.WriteHeader(result.status)
	_, _ = w.Write(result.body)
}
