//go:build fast

package main

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// table is the form that bart gives for speed at the price of memory; built with -tags fast and told for context.
type table = bart.Fast[struct{}]

func insert(t *table, prefix netip.Prefix) { t.Insert(prefix, struct{}{}) }
