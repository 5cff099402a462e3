//go:build !fast

package main

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// table is what bart recommends for access lists.
type table = bart.Lite

func insert(t *table, prefix netip.Prefix) { t.Insert(prefix) }
