// Authz is what a Go team would put behind Envoy and nginx: an ext_authz server with go-control-plane's stubs and an
// auth_request handler, both walking X-Forwarded-For with net/netip and gaissmai/bart. It is the yardstick of tests/bench
// for iptrustd's callouts.
package main

import (
	"bufio"
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/gaissmai/bart"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

type table struct {
	bart.Table[string]
}

func (t *table) load(name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		prefix, err := netip.ParsePrefix(lines.Text())
		if err != nil {
			return err
		}
		t.Insert(prefix, name)
	}
	return nil
}

func parse(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap(), nil
	}
	ap, err := netip.ParseAddrPort(text)
	return ap.Addr().Unmap(), err
}

// walk goes from the peer outwards while the hop is trusted, and tells the client and the chain that it came along.
func (t *table) walk(peer, forwarded string) (client netip.Addr, chain string, complete bool) {
	client, err := parse(peer)
	if err != nil {
		return netip.Addr{}, "", false
	}
	hops := make([]string, 0, 8)
	for {
		list, trusted := t.Lookup(client)
		if !trusted {
			return client, strings.Join(append(hops, client.String()), ", "), true
		}
		hops = append(hops, client.String()+";"+list)
		if forwarded == "" {
			return client, strings.Join(hops, ", "), true
		}
		entry := forwarded
		if comma := strings.LastIndexByte(forwarded, ','); comma >= 0 {
			entry, forwarded = forwarded[comma+1:], forwarded[:comma]
		} else {
			forwarded = ""
		}
		if client, err = parse(entry); err != nil {
			return netip.Addr{}, strings.Join(hops, ", "), false
		}
	}
}

type authz struct {
	authv3.UnimplementedAuthorizationServer
	table *table
}

func header(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, Value: value}}
}

func (a *authz) Check(_ context.Context, r *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	attributes := r.GetAttributes()
	headers := attributes.GetRequest().GetHttp().GetHeaders()
	peer := attributes.GetSource().GetAddress().GetSocketAddress().GetAddress()
	client, chain, complete := a.table.walk(peer, headers["x-forwarded-for"])
	confidence := "high"
	if !complete {
		confidence = "none"
	}
	remove := []string{}
	for name := range headers {
		if strings.HasPrefix(name, "x-iptrust-") {
			remove = append(remove, name)
		}
	}
	metadata, err := structpb.NewStruct(map[string]any{"client_ip": client.String(), "confidence": confidence,
		"source": "x-forwarded-for", "chain": chain, "policy": "default", "revision": "9c1f3a5b-7d9e0f12"})
	if err != nil {
		return nil, err
	}
	return &authv3.CheckResponse{
		Status: &statuspb.Status{},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: &authv3.OkHttpResponse{
			Headers: []*corev3.HeaderValueOption{
				header("x-iptrust-client-ip", client.String()), header("x-iptrust-confidence", confidence),
				header("x-iptrust-source", "x-forwarded-for"), header("x-iptrust-chain", chain),
				header("x-iptrust-policy", "default"), header("x-iptrust-revision", "9c1f3a5b-7d9e0f12"),
			},
			HeadersToRemove: remove,
		}},
		DynamicMetadata: metadata,
	}, nil
}

// auth answers nginx's auth_request: the headers of the request, and the peer in one of nginx's own.
func (a *authz) auth(w http.ResponseWriter, r *http.Request) {
	client, chain, complete := a.table.walk(r.Header.Get("X-Iptrust-Peer"), r.Header.Get("X-Forwarded-For"))
	confidence := "high"
	if !complete {
		confidence = "none"
	}
	h := w.Header()
	h.Set("X-Iptrust-Client-Ip", client.String())
	h.Set("X-Iptrust-Confidence", confidence)
	h.Set("X-Iptrust-Source", "x-forwarded-for")
	h.Set("X-Iptrust-Chain", chain)
	h.Set("X-Iptrust-Policy", "default")
	h.Set("X-Iptrust-Revision", "9c1f3a5b-7d9e0f12")
	h.Set("Cache-Control", "no-store")
}

func main() {
	grpcAddress := flag.String("grpc", "", "address of the ext_authz server")
	unixPath := flag.String("http", "", "path of the auth_request handler's socket")
	flag.Parse()
	a := &authz{table: &table{}}
	for _, argument := range flag.Args() {
		name, path, _ := strings.Cut(argument, "=")
		if err := a.table.load(name, path); err != nil {
			log.Fatal(err)
		}
	}
	if *unixPath != "" {
		listener, err := net.Listen("unix", *unixPath)
		if err != nil {
			log.Fatal(err)
		}
		os.Chmod(*unixPath, 0o666)
		go func() { log.Fatal(http.Serve(listener, http.HandlerFunc(a.auth))) }()
	}
	listener, err := net.Listen("tcp", *grpcAddress)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, a)
	log.Fatal(server.Serve(listener))
}
