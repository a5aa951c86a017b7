package main

import (
	"maps"
	"sync"
)

// counts holds how many requests came, by method and by kind, and how many were refused.
type counts struct {
	mutex   sync.Mutex
	total   int
	refused int
	methods map[string]int
	kinds   map[string]int
}

// shown is the answer to GET /-/counts. Writes are creates, patches, puts and deletes, refused ones too.
type shown struct {
	Total   int            `json:"total"`
	Writes  int            `json:"writes"`
	Refused int            `json:"refused"`
	Users   int            `json:"users"`
	Methods map[string]int `json:"methods"`
	Kinds   map[string]int `json:"kinds"`
}

func newCounts() *counts {
	c := &counts{}
	c.reset()
	return c
}

func (c *counts) add(method, kind string, status int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.total++
	c.methods[method]++
	c.kinds[kind]++
	if status >= 400 {
		c.refused++
	}
}

func (c *counts) shown(users int) shown {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	writes := 0
	for _, kind := range []string{"create", "patch", "put", "delete"} {
		writes += c.kinds[kind]
	}
	return shown{c.total, writes, c.refused, users, maps.Clone(c.methods), maps.Clone(c.kinds)}
}

func (c *counts) reset() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.total, c.refused = 0, 0
	c.methods, c.kinds = map[string]int{}, map[string]int{}
}
