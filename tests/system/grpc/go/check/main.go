// Asks envoy.service.auth.v3.Authorization with the stubs that Envoy's own control planes use, and grpc.health.v1 with
// those of grpc-go. Prints what came back, one line a call; exit 1 when a call failed. With -calls or -seconds it is a
// load of eight clients with a connection each, and prints how many calls there were and how many failed.
//
//	check [-calls N | -seconds N] [-cacert FILE [-cert FILE -key FILE] [-name HOST]] TARGET
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

var (
	caFile   = flag.String("cacert", "", "trust this CA and speak TLS")
	certFile = flag.String("cert", "", "client certificate")
	keyFile  = flag.String("key", "", "its key")
	calls    = flag.Int64("calls", 0, "calls of a load")
	seconds  = flag.Int("seconds", 0, "length of a load")
	name     = flag.String("name", "", "host name to find in the server's certificate")
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func transport() credentials.TransportCredentials {
	if *caFile == "" {
		return insecure.NewCredentials()
	}
	pem, err := os.ReadFile(*caFile)
	if err != nil {
		fail(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, ServerName: *name}
	if *certFile != "" {
		pair, err := tls.LoadX509KeyPair(*certFile, *keyFile)
		if err != nil {
			fail(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config)
}

func request(peer string, headers map[string]string, policy string) *auth.CheckRequest {
	address := &core.Address{Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
		Address: peer, PortSpecifier: &core.SocketAddress_PortValue{PortValue: 4711}}}}
	attributes := &auth.AttributeContext{
		Source:  &auth.AttributeContext_Peer{Address: address},
		Request: &auth.AttributeContext_Request{Http: &auth.AttributeContext_HttpRequest{Method: "GET", Path: "/", Headers: headers}},
	}
	if policy != "" {
		attributes.ContextExtensions = map[string]string{"iptrust.policy": policy}
	}
	return &auth.CheckRequest{Attributes: attributes}
}

// What an application behind Envoy would see of the answer.
type seen struct {
	Call     string
	Code     int32
	Denied   bool
	Status   int32
	Set      map[string]string
	Removed  []string
	Metadata map[string]any
	Body     string
}

func check(client auth.AuthorizationClient, name string, request *auth.CheckRequest) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.Check(ctx, request)
	if err != nil {
		fail(err)
	}
	told := seen{Call: name, Code: answer.GetStatus().GetCode(), Set: map[string]string{}, Metadata: answer.GetDynamicMetadata().AsMap()}
	options := answer.GetOkResponse().GetHeaders()
	if denied := answer.GetDeniedResponse(); denied != nil {
		told.Denied, told.Status, told.Body = true, int32(denied.GetStatus().GetCode()), denied.GetBody()
		options = denied.GetHeaders()
	}
	for _, option := range options {
		told.Set[option.GetHeader().GetKey()] = option.GetHeader().GetValue()
	}
	told.Removed = append([]string{}, answer.GetOkResponse().GetHeadersToRemove()...)
	sort.Strings(told.Removed)
	text, err := json.Marshal(told)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(text))
}

const clients = 8

func load() {
	var left, done, failed atomic.Int64
	var first atomic.Value
	var all sync.WaitGroup
	left.Store(*calls)
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	asked := request("10.0.12.1", map[string]string{"x-forwarded-for": "8.8.8.8"}, "")
	for range clients {
		all.Go(func() {
			connection, err := grpc.NewClient(flag.Arg(0), grpc.WithTransportCredentials(transport()))
			if err != nil {
				fail(err)
			}
			defer connection.Close()
			client := auth.NewAuthorizationClient(connection)
			for *calls > 0 && left.Add(-1) >= 0 || *calls == 0 && time.Now().Before(end) {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				_, err := client.Check(ctx, asked)
				cancel()
				done.Add(1)
				if err != nil {
					failed.Add(1)
					first.CompareAndSwap(nil, err.Error())
				}
			}
		})
	}
	all.Wait()
	why, _ := first.Load().(string)
	text, _ := json.Marshal(map[string]any{"Calls": done.Load(), "Failed": failed.Load(), "First": why})
	fmt.Println(string(text))
}

func main() {
	flag.Parse()
	if *calls > 0 || *seconds > 0 {
		load()
		return
	}
	connection, err := grpc.NewClient(flag.Arg(0), grpc.WithTransportCredentials(transport()))
	if err != nil {
		fail(err)
	}
	defer connection.Close()
	health := grpc_health_v1.NewHealthClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	state, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "envoy.service.auth.v3.Authorization"})
	if err != nil {
		fail(err)
	}
	fmt.Printf("{\"Call\":\"health\",\"Serving\":\"%s\"}\n", state.GetStatus())
	client := auth.NewAuthorizationClient(connection)
	forged := map[string]string{"x-forwarded-for": "8.8.8.8", "x-iptrust-client-ip": "1.2.3.4", "x_iptrust_client_ip": "1.2.3.4"}
	check(client, "annotate", request("10.0.12.1", forged, ""))
	check(client, "enforce", request("10.0.12.1", map[string]string{"x-forwarded-for": "unknown"}, "strict"))
	check(client, "nothing", &auth.CheckRequest{})
}
