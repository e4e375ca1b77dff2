// Package cache keeps what takes longer to make than to keep, up to a number of
// bytes.
//
// It makes nothing itself, knows no time at which a value ends, and is safe for
// several goroutines: a key has to hold everything that its value depends on, so
// that a value is right for as long as it is found.
package cache

import "sync"

// A Cache keeps values up to a number of bytes, those that were used last. It has
// two halves: what is used or new goes to the young one, and when that is full,
// it takes the place of the old one, whose values are dropped.
type Cache[K comparable, V any] struct {
	mu         sync.Mutex
	half       int // bytes that each half may have
	used       int // bytes in the young half
	young, old map[K]cached[V]
}

type cached[V any] struct {
	value V
	size  int
}

// New returns an empty cache that keeps values of so many bytes in all.
func New[K comparable, V any](bytes int) *Cache[K, V] {
	return &Cache[K, V]{half: bytes / 2, young: map[K]cached[V]{}, old: map[K]cached[V]{}}
}

// Get returns the value of a key, and whether there is one.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.young[key]; ok {
		return found.value, true
	}
	found, ok := c.old[key]
	if ok {
		c.keep(key, found)
	}
	return found.value, ok
}

// Put keeps a value, whose size in bytes counts with that of its key. One that
// is too large for the cache is not kept.
func (c *Cache[K, V]) Put(key K, value V, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, cached[V]{value, size})
}

// keep puts a value into the young half.
func (c *Cache[K, V]) keep(key K, value cached[V]) {
	if value.size > c.half {
		return
	}
	if c.used+value.size > c.half {
		c.young, c.old, c.used = map[K]cached[V]{}, c.young, 0
	}
	c.used += value.size - c.young[key].size
	c.young[key] = value
}
