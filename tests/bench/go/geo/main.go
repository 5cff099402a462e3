// The yardstick of geo data: oschwald/maxminddb-golang, version 1 and 2, decodes the fields that iptrustd asks for into a
// struct. geo CITY ASN ADDRESSES ROUNDS; the same addresses as bench_geo, one JSON object a round, nanoseconds an address.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"time"

	v1 "github.com/oschwald/maxminddb-golang"
	v2 "github.com/oschwald/maxminddb-golang/v2"
)

type names struct {
	En string `maxminddb:"en"`
}

type city struct {
	Continent struct {
		Code  string `maxminddb:"code"`
		Names names  `maxminddb:"names"`
	} `maxminddb:"continent"`
	Country struct {
		Code  string `maxminddb:"iso_code"`
		Names names  `maxminddb:"names"`
		IsEU  *bool  `maxminddb:"is_in_european_union"`
	} `maxminddb:"country"`
	Subdivisions []struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"subdivisions"`
	City struct {
		Names names `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
}

type asn struct {
	Number uint32 `maxminddb:"autonomous_system_number"`
	Name   string `maxminddb:"autonomous_system_organization"`
}

// found counts the fields that somebody told, so that both sides can be held against one another.
func found(c *city, a *asn) (n int) {
	for _, text := range []string{c.Continent.Code, c.Continent.Names.En, c.Country.Code, c.Country.Names.En, c.City.Names.En, a.Name} {
		if text != "" {
			n++
		}
	}
	for _, is := range []bool{c.Country.IsEU != nil, len(c.Subdivisions) > 0 && c.Subdivisions[0].Names.En != "",
		c.Location.Latitude != nil, c.Location.Longitude != nil, a.Number != 0} {
		if is {
			n++
		}
	}
	return n
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "geo:", err)
		os.Exit(1)
	}
	return value
}

func check(err error) {
	_ = must(0, err)
}

// addresses are those of bench_geo: the same generator, the same seed.
func addresses(count int) []uint32 {
	random, all := uint64(88172645463325252), make([]uint32, count)
	for i := range all {
		random ^= random << 13
		random ^= random >> 7
		random ^= random << 17
		all[i] = uint32(random >> 16)
	}
	return all
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: geo CITY ASN ADDRESSES ROUNDS")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(1)
	count, rounds := must(strconv.Atoi(os.Args[3])), must(strconv.Atoi(os.Args[4]))
	city1, asn1 := must(v1.Open(os.Args[1])), must(v1.Open(os.Args[2]))
	city2, asn2 := must(v2.Open(os.Args[1])), must(v2.Open(os.Args[2]))
	all := addresses(count)
	for range rounds {
		var seen1, seen2 int
		start := time.Now()
		for _, v4 := range all {
			var c city
			var a asn
			address := net.IP{byte(v4 >> 24), byte(v4 >> 16), byte(v4 >> 8), byte(v4)}
			check(city1.Lookup(address, &c))
			check(asn1.Lookup(address, &a))
			seen1 += found(&c, &a)
		}
		middle := time.Now()
		for _, v4 := range all {
			var c city
			var a asn
			address := netip.AddrFrom4([4]byte{byte(v4 >> 24), byte(v4 >> 16), byte(v4 >> 8), byte(v4)})
			check(city2.Lookup(address).Decode(&c))
			check(asn2.Lookup(address).Decode(&a))
			seen2 += found(&c, &a)
		}
		end := time.Now()
		check(json.NewEncoder(os.Stdout).Encode(map[string]any{
			"v1_ns":    float64(middle.Sub(start).Nanoseconds()) / float64(count),
			"v2_ns":    float64(end.Sub(middle).Nanoseconds()) / float64(count),
			"v1_found": seen1, "v2_found": seen2,
		}))
	}
}
