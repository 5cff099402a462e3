// Rest answers POST /v1/resolve and /v1/resolve/batch the way a Go team would write it: net/http, encoding/json,
// net/netip and gaissmai/bart. It is the yardstick of tests/bench for iptrustd's own REST face.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
)

type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type batch struct {
	Requests []request `json:"requests"`
}

type result struct {
	Decision *decision `json:"decision,omitempty"`
	Problem  *problem  `json:"problem,omitempty"`
}

type server struct {
	policies map[string]*policy
}

func (s *server) answer(r *request) result {
	name := r.Policy
	if name == "" {
		name = "default"
	}
	p, ok := s.policies[name]
	if !ok {
		return result{Problem: &problem{"about:blank", "no such policy", http.StatusNotFound, "unknown_policy", name}}
	}
	d, err := p.decide(r)
	if err != nil {
		return result{Problem: &problem{"about:blank", "bad peer", http.StatusBadRequest, "bad_request", err.Error()}}
	}
	return result{Decision: d}
}

func read(w http.ResponseWriter, r *http.Request, limit int64, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		write(w, http.StatusBadRequest, &problem{"about:blank", "bad JSON", http.StatusBadRequest, "bad_json", err.Error()})
		return false
	}
	return true
}

func write(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

func (s *server) resolve(w http.ResponseWriter, r *http.Request) {
	var req request
	if !read(w, r, 256<<10, &req) {
		return
	}
	if res := s.answer(&req); res.Problem != nil {
		write(w, res.Problem.Status, res.Problem)
	} else {
		write(w, http.StatusOK, res.Decision)
	}
}

func (s *server) resolveBatch(w http.ResponseWriter, r *http.Request) {
	var req batch
	if !read(w, r, 4<<20, &req) {
		return
	}
	results := make([]result, len(req.Requests))
	for i := range req.Requests {
		results[i] = s.answer(&req.Requests[i])
	}
	write(w, http.StatusOK, struct {
		Results []result `json:"results"`
	}{results})
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	fetchedAt := flag.String("fetched-at", "2026-01-01T00:00:00Z", "time that hops show for their list")
	flag.Parse() // then NAME=FILE for each list of the policy

	p := &policy{name: "default"}
	for _, arg := range flag.Args() {
		name, path, _ := strings.Cut(arg, "=")
		if err := p.load(name, path, *fetchedAt); err != nil {
			log.Fatal(err)
		}
	}
	s := &server{map[string]*policy{p.name: p}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/resolve", s.resolve)
	mux.HandleFunc("POST /v1/resolve/batch", s.resolveBatch)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {})

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, mux))
}
