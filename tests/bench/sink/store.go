package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// user is one account: its place in the list, its keys, and its document as it is sent, without the braces around it.
type user struct {
	number     int
	id         string
	place      string
	userName   string
	externalID string
	created    string
	version    int
	document   []byte
}

// store holds users in the order of their creation, found by id, by userName in lower case and by externalId.
type store struct {
	mutex      sync.RWMutex
	next       int
	users      []*user
	ids        map[string]*user
	names      map[string]*user
	externals  map[string][]*user
	comparison *regexp.Regexp
}

func newStore() *store {
	s := &store{comparison: regexp.MustCompile(`(?i)^\s*(username|externalid|id)\s+eq\s+("(?:[^"\\]|\\.)*")\s*$`)}
	s.reset()
	return s
}

func (s *store) reset() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.next, s.users = 0, nil
	s.ids, s.names, s.externals = map[string]*user{}, map[string]*user{}, map[string][]*user{}
}

func (s *store) size() int {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return len(s.users)
}

func (s *store) create(body []byte, base string) (answer, error) {
	name, external, members, err := parse(body)
	if err != nil {
		return answer{}, err
	}
	id := newID()
	u := &user{id: id, place: base + "/Users/" + id, created: now(), document: members}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.names[strings.ToLower(name)] != nil {
		return answer{}, refusal{http.StatusConflict, "uniqueness", "the userName is taken"}
	}
	s.next++
	u.number, u.version = s.next, 1
	s.users = append(s.users, u)
	s.ids[u.id] = u
	s.index(u, name, external)
	return answer{http.StatusCreated, u.etag(), u.place, u.body(u.created)}, nil
}

func (s *store) get(id string) (answer, error) {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	u, err := s.named(id)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, etag: u.etag(), body: u.body(u.created)}, nil
}

// change replaces a document (PUT) or applies operations to it (PATCH).
func (s *store) change(id string, body []byte, expected string, patch bool) (answer, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	u, err := s.named(id)
	if err != nil {
		return answer{}, err
	}
	if expected != "" && expected != "*" && expected != u.etag() {
		return answer{}, refusal{http.StatusPreconditionFailed, "", "the version is another one"}
	}
	if patch {
		if body, err = patched(u.document, body); err != nil {
			return answer{}, err
		}
	}
	name, external, members, err := parse(body)
	if err != nil {
		return answer{}, err
	}
	if other := s.names[strings.ToLower(name)]; other != nil && other != u {
		return answer{}, refusal{http.StatusConflict, "uniqueness", "the userName is taken"}
	}
	s.forget(u)
	u.version, u.document = u.version+1, members
	s.index(u, name, external)
	return answer{status: http.StatusOK, etag: u.etag(), body: u.body(now())}, nil
}

func (s *store) remove(id string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	u, err := s.named(id)
	if err != nil {
		return err
	}
	s.forget(u)
	delete(s.ids, u.id)
	at := sort.Search(len(s.users), func(i int) bool { return s.users[i].number >= u.number })
	s.users = slices.Delete(s.users, at, at+1)
	return nil
}

func (s *store) list(window page) answer {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return listed(s.users, window)
}

// find answers `userName eq "x"`, `externalId eq "x"` and `id eq "x"`, the only filters there are.
func (s *store) find(filter string, window page) (answer, error) {
	parts := s.comparison.FindStringSubmatch(filter)
	var value string
	if parts == nil || json.Unmarshal([]byte(parts[2]), &value) != nil {
		return answer{}, refusal{http.StatusBadRequest, "invalidFilter", "only userName, externalId or id eq a string"}
	}
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	var hits []*user
	switch strings.ToLower(parts[1]) {
	case "externalid":
		hits = s.externals[value]
	case "id":
		if u := s.ids[value]; u != nil {
			hits = []*user{u}
		}
	default:
		if u := s.names[strings.ToLower(value)]; u != nil {
			hits = []*user{u}
		}
	}
	return listed(hits, window), nil
}

func (s *store) named(id string) (*user, error) {
	u := s.ids[id]
	if u == nil {
		return nil, refusal{http.StatusNotFound, "", "there is no such user"}
	}
	return u, nil
}

func (s *store) index(u *user, name, external string) {
	u.userName, u.externalID = strings.ToLower(name), external
	s.names[u.userName] = u
	if external != "" {
		s.externals[external] = append(s.externals[external], u)
	}
}

func (s *store) forget(u *user) {
	delete(s.names, u.userName)
	if u.externalID == "" {
		return
	}
	held := s.externals[u.externalID]
	at := slices.Index(held, u)
	if len(held) == 1 {
		delete(s.externals, u.externalID)
		return
	}
	s.externals[u.externalID] = slices.Delete(slices.Clone(held), at, at+1)
}

func (u *user) etag() string { return fmt.Sprintf(`W/"%d"`, u.version) }

// body is the whole document: what the client wrote, with id and meta before it.
func (u *user) body(modified string) []byte {
	var buffer bytes.Buffer
	buffer.Grow(len(u.document) + 320)
	fmt.Fprintf(
		&buffer,
		`{"id":%q,"meta":{"resourceType":"User","created":%q,"lastModified":%q,"version":"W/\"%d\"","location":%q}`,
		u.id, u.created, modified, u.version, u.place,
	)
	if len(u.document) > 0 {
		buffer.WriteByte(',')
		buffer.Write(u.document)
	}
	buffer.WriteByte('}')
	return buffer.Bytes()
}

// parse checks a document, and gives its keys and its members as text without the braces, without id and meta.
func parse(body []byte) (name, external string, members []byte, err error) {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(body, &fields) != nil {
		return "", "", nil, refusal{http.StatusBadRequest, "invalidSyntax", "the body is no JSON object"}
	}
	bad, own := false, false
	for key, value := range fields {
		switch strings.ToLower(key) {
		case "username":
			bad = bad || json.Unmarshal(value, &name) != nil
		case "externalid":
			bad = bad || json.Unmarshal(value, &external) != nil
		case "id", "meta":
			own = true
			delete(fields, key)
		}
	}
	if bad || name == "" {
		return "", "", nil, refusal{http.StatusBadRequest, "invalidValue", "userName has to be a string"}
	}
	if own {
		if body, err = json.Marshal(fields); err != nil {
			panic(err)
		}
	}
	body = bytes.TrimSpace(body)
	return name, external, bytes.TrimSpace(body[1 : len(body)-1]), nil
}

func listed(users []*user, window page) answer {
	first := min(window.start-1, len(users))
	shown := users[first:min(first+window.count, len(users))]
	items := make([]json.RawMessage, 0, len(shown))
	for _, u := range shown {
		items = append(items, u.body(u.created))
	}
	return answer{status: http.StatusOK, body: listBody(len(users), window.start, items)}
}

func listBody(total, start int, items []json.RawMessage) []byte {
	var buffer bytes.Buffer
	fmt.Fprintf(
		&buffer, `{"schemas":[%q],"totalResults":%d,"startIndex":%d,"itemsPerPage":%d,"Resources":[`,
		listURN, total, start, len(items),
	)
	for number, item := range items {
		if number > 0 {
			buffer.WriteByte(',')
		}
		buffer.Write(item)
	}
	buffer.WriteString("]}")
	return buffer.Bytes()
}

func newID() string {
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
