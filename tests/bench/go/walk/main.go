// Walk is what a careful Go program does when it wants no more than the client's address: net/netip, one prefix table of
// gaissmai/bart, X-Forwarded-For from the right. It is the yardstick of tests/bench.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

type request struct {
	peer, xff string
}

// client answers the first address from the right that is not in the table; the peer is asked first. When all are in the
// table it is the leftmost one, and an entry that is no address ends the walk at the address before it.
func client(t *table, peer, xff string) (netip.Addr, bool) {
	cur, err := netip.ParseAddr(peer)
	if err != nil {
		return netip.Addr{}, false
	}
	cur = cur.Unmap()
	for t.Contains(cur) {
		if xff == "" {
			return cur, true
		}
		comma := strings.LastIndexByte(xff, ',')
		next, err := netip.ParseAddr(strings.TrimSpace(xff[comma+1:]))
		if err != nil {
			return cur, true
		}
		cur = next.Unmap()
		xff = xff[:max(comma, 0)]
	}
	return cur, true
}

// sum folds a client into a checksum that decide.c computes in the same way.
func sum(hash uint64, addr netip.Addr) uint64 {
	bytes := addr.As16()
	hash = (hash ^ binary.BigEndian.Uint64(bytes[:8])) * 0x9e3779b97f4a7c15
	hash = (hash ^ binary.BigEndian.Uint64(bytes[8:])) * 0x9e3779b97f4a7c15
	return hash ^ hash>>29
}

func readStream(path string) []request {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var stream []request
	for line := range strings.Lines(string(text)) {
		peer, xff, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			log.Fatalf("%s: a line without a tab", path)
		}
		stream = append(stream, request{peer, xff})
	}
	return stream
}

func readTable(path string) *table {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	t := new(table)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		prefix, err := netip.ParsePrefix(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		insert(t, prefix)
	}
	return t
}

func dump(t *table, stream []request, path string) {
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(file)
	for _, r := range stream {
		addr, ok := client(t, r.peer, r.xff)
		if !ok {
			log.Fatalf("peer %q is no address", r.peer)
		}
		bytes := addr.As16()
		fmt.Fprintf(out, "%x\n", bytes)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

// measure answers the median of the passes, in nanoseconds a decision, and the checksum of one pass.
func measure(t *table, stream []request, passes int) (float64, uint64) {
	var hash uint64
	times := make([]float64, 0, passes)
	runtime.GC()
	for pass := range passes + 1 {
		hash = 0
		start := time.Now()
		for i := range stream {
			addr, _ := client(t, stream[i].peer, stream[i].xff)
			hash = sum(hash, addr)
		}
		if pass > 0 { // the first one warms the caches
			times = append(times, float64(time.Since(start).Nanoseconds())/float64(len(stream)))
		}
	}
	slices.Sort(times)
	return times[len(times)/2], hash
}

func main() {
	prefixes := flag.String("prefixes", "", "file of prefixes")
	streamPath := flag.String("stream", "", "file of requests")
	passes := flag.Int("passes", 15, "times the stream is walked")
	clients := flag.String("clients", "", "write the client of every request to this file and measure nothing")
	fixed := flag.Bool("fixed", false, "walk the first request over and over")
	flag.Parse()

	t, stream := readTable(*prefixes), readStream(*streamPath)
	if *clients != "" {
		dump(t, stream, *clients)
		return
	}
	if *fixed {
		for i := range stream {
			stream[i] = stream[0]
		}
	}
	ns, hash := measure(t, stream, *passes)
	fmt.Printf("{\"client_ns\":%.2f,\"checksum\":\"%016x\",\"requests\":%d}\n", ns, hash, len(stream))
}
