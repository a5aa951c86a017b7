package main

import (
	"maps"
	"sync"
	"time"
)

// counts holds how many requests came, by method and by kind, and how many were refused.
type counts struct {
	mutex   sync.Mutex
	total   int
	refused int
	methods map[string]int
	kinds   map[string]int
	patched []int64
	waiting int
	most    int
}

// shown is the answer to GET /-/counts. Writes are creates, patches, puts and deletes, refused ones too; AtOnce is how
// many waited out the delay at the same time, at the most.
type shown struct {
	Total   int            `json:"total"`
	Writes  int            `json:"writes"`
	Refused int            `json:"refused"`
	Users   int            `json:"users"`
	AtOnce  int            `json:"atOnce"`
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

// waits notes that so many more requests wait out the delay.
func (c *counts) waits(more int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.waiting += more
	c.most = max(c.most, c.waiting)
}

// answered notes that the answer to a request has been written.
func (c *counts) answered(kind string) {
	if kind != "patch" {
		return
	}
	now := time.Now().UnixMicro()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.patched = append(c.patched, now)
}

// patches are the times at which patches were answered, in microseconds since 1970.
func (c *counts) patches() []int64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]int64{}, c.patched...)
}

func (c *counts) shown(users int) shown {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	writes := 0
	for _, kind := range []string{"create", "patch", "put", "delete"} {
		writes += c.kinds[kind]
	}
	return shown{c.total, writes, c.refused, users, c.most, maps.Clone(c.methods), maps.Clone(c.kinds)}
}

func (c *counts) reset() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.total, c.refused, c.patched, c.most = 0, 0, nil, c.waiting
	c.methods, c.kinds = map[string]int{}, map[string]int{}
}
