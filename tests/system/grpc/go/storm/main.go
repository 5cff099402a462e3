// A load of REST and gRPC at once whose every answer is checked against the revision that it states. The plan, JSON on
// standard input, has the requests and what each must answer under which revision. With a rate it is open-loop: requests
// begin at fixed times, whatever the answers do, and each is counted from the time when it should have begun. Without one
// every client asks again as soon as it has an answer, which shows the peak. One JSON object comes out.
//
//	storm -http HOST:PORT -grpc HOST:PORT -seconds N [-http-rate R -grpc-rate R]
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	httpClients = 16
	grpcClients = 32 // over four connections
	patience    = 60 * time.Second
)

var (
	httpAddress = flag.String("http", "", "of the listener http")
	grpcAddress = flag.String("grpc", "", "of the listener grpc")
	seconds     = flag.Float64("seconds", 1, "length of the load")
	httpRate    = flag.Float64("http-rate", 0, "requests a second")
	grpcRate    = flag.Float64("grpc-rate", 0, "calls a second")
)

type plan struct {
	Requests []struct {
		Peer    string      `json:"peer"`
		Headers [][2]string `json:"headers"`
	} `json:"requests"`
	// By "policies lists" of the stated revision: the client of each request.
	Answers map[string][]string `json:"answers"`
}

type answer struct{ client, revision string }

// asker sends one request and waits for its answer; one for each client.
type asker interface {
	ask(request int) (answer, error)
	close()
}

// ---- REST: one connection, kept ----

type restAsker struct {
	bodies [][]byte
	conn   net.Conn
	from   *bufio.Reader
	body   []byte
}

func restBodies(p *plan) (bodies [][]byte) {
	for _, r := range p.Requests {
		text, _ := json.Marshal(r)
		bodies = append(bodies, []byte(fmt.Sprintf("POST /v1/resolve HTTP/1.1\r\nHost: storm\r\nContent-Type: application/json\r\n"+
			"Content-Length: %d\r\n\r\n%s", len(text), text)))
	}
	return bodies
}

func (a *restAsker) close() {
	if a.conn != nil {
		a.conn.Close()
	}
}

func (a *restAsker) ask(request int) (answer, error) {
	if a.conn == nil {
		conn, err := net.DialTimeout("tcp", *httpAddress, patience)
		if err != nil {
			return answer{}, err
		}
		a.conn, a.from = conn, bufio.NewReaderSize(conn, 16384)
	}
	a.conn.SetDeadline(time.Now().Add(patience))
	if _, err := a.conn.Write(a.bodies[request]); err != nil {
		return answer{}, err
	}
	status, err := a.from.ReadString('\n')
	if err != nil {
		return answer{}, err
	}
	length := -1
	for {
		line, err := a.from.ReadString('\n')
		if err != nil {
			return answer{}, err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "content-length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	if length < 0 || length > 1<<20 {
		return answer{}, errors.New("no length: " + status)
	}
	if cap(a.body) < length {
		a.body = make([]byte, length)
	}
	if _, err := io.ReadFull(a.from, a.body[:length]); err != nil {
		return answer{}, err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return answer{}, fmt.Errorf("%s %s", strings.TrimSpace(status), a.body[:length])
	}
	return restAnswer(a.body[:length])
}

// The two strings that are looked for stand once in an answer of this plan; whole answers are the golden cases' business.
func restAnswer(body []byte) (answer, error) {
	client, ok1 := between(body, `"client_ip":"`)
	policies, ok2 := between(body, `"revision":{"policies":"`)
	_, after, _ := bytes.Cut(body, []byte(`"revision":{`))
	lists, ok3 := between(after, `"lists":"`)
	if !ok1 || !ok2 || !ok3 {
		return answer{}, fmt.Errorf("unreadable: %s", body)
	}
	return answer{client, policies + " " + lists}, nil
}

func between(text []byte, front string) (string, bool) {
	_, rest, found := bytes.Cut(text, []byte(front))
	end := bytes.IndexByte(rest, '"')
	if !found || end < 0 {
		return "", false
	}
	return string(rest[:end]), true
}

// ---- gRPC: messages as bytes, by the numbers of their fields ----

type bytesCodec struct{}

func (bytesCodec) Name() string                  { return "proto" }
func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

type grpcAsker struct {
	bodies [][]byte
	conn   *grpc.ClientConn // several share it
}

func grpcBodies(p *plan) (bodies [][]byte) {
	field := func(out []byte, number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(out, number, protowire.BytesType), value)
	}
	for _, r := range p.Requests {
		request := field(nil, 1, []byte(r.Peer))
		for _, header := range r.Headers {
			request = field(request, 2, field(field(nil, 1, []byte(header[0])), 2, []byte(header[1])))
		}
		bodies = append(bodies, field(nil, 1, request))
	}
	return bodies
}

func (a *grpcAsker) close() {}

func (a *grpcAsker) ask(request int) (answer, error) {
	var back []byte
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.conn.Invoke(ctx, "/iptrust.v1.TrustService/Resolve", &a.bodies[request], &back); err != nil {
		return answer{}, err
	}
	decision := last(back, 1)
	revision := last(decision, 15)
	if decision == nil || revision == nil {
		return answer{}, fmt.Errorf("unreadable: %x", back)
	}
	return answer{string(last(decision, 1)), string(last(revision, 1)) + " " + string(last(revision, 2))}, nil
}

// last is the field of that number, of those with a length; nil when there is none.
func last(message []byte, number protowire.Number) (found []byte) {
	for len(message) > 0 {
		n, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return nil
		}
		message = message[length:]
		if n == number && kind == protowire.BytesType {
			value, length := protowire.ConsumeBytes(message)
			if length < 0 {
				return nil
			}
			found, message = value, message[length:]
			continue
		}
		if length = protowire.ConsumeFieldValue(n, kind, message); length < 0 {
			return nil
		}
		message = message[length:]
	}
	return found
}

// ---- load ----

type result struct {
	Sent      int            `json:"sent"`
	Good      int            `json:"good"`
	PerSecond float64        `json:"per_second"`
	MedianMs  float64        `json:"median_ms"`
	P99Ms     float64        `json:"p99_ms"`
	MaxMs     float64        `json:"max_ms"`
	Seen      map[string]int `json:"seen"`   // answers by revision
	Failed    []string       `json:"failed"` // the first few
	Failures  int            `json:"failures"`
	Wrong     []string       `json:"wrong"` // answers that are not those of their revision
	Wrongs    int            `json:"wrongs"`
	lock      sync.Mutex
	times     []float64
}

func (r *result) note(p *plan, request int, a answer, err error, ms float64) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.times = append(r.times, ms)
	if err != nil {
		if r.Failures++; len(r.Failed) < 5 {
			r.Failed = append(r.Failed, err.Error())
		}
		return
	}
	r.Seen[a.revision]++
	if want := p.Answers[a.revision]; want == nil || want[request] != a.client {
		if r.Wrongs++; len(r.Wrong) < 5 {
			r.Wrong = append(r.Wrong, fmt.Sprintf("revision %s, request %d: %s, not %v", a.revision, request, a.client, want))
		}
		return
	}
	r.Good++
}

type job struct {
	request int
	due     time.Time
}

// run lets the clients take what comes through the channel, or ask on by themselves without a rate.
func run(p *plan, askers []asker, rate float64) *result {
	r := &result{Seen: map[string]int{}, Failed: []string{}, Wrong: []string{}}
	jobs := make(chan job, 1<<20)
	begin := time.Now()
	end := begin.Add(time.Duration(*seconds * float64(time.Second)))
	var wait sync.WaitGroup
	for i, client := range askers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer client.close()
			if rate == 0 {
				for n := i; time.Now().Before(end); n++ {
					due := time.Now()
					a, err := client.ask(n % len(p.Requests))
					r.note(p, n%len(p.Requests), a, err, float64(time.Since(due).Microseconds())/1000)
					if err != nil {
						return
					}
				}
				return
			}
			for j := range jobs {
				a, err := client.ask(j.request)
				r.note(p, j.request, a, err, float64(time.Since(j.due).Microseconds())/1000)
				if err != nil {
					client.close()
					if rest, ok := client.(*restAsker); ok {
						rest.conn = nil
					}
				}
			}
		}()
	}
	sent := 0
	if rate > 0 {
		for now := begin; now.Before(end); now = time.Now() {
			for due := begin.Add(time.Duration(float64(sent) / rate * 1e9)); !due.After(now); due = begin.Add(time.Duration(float64(sent) / rate * 1e9)) {
				jobs <- job{sent % len(p.Requests), due}
				sent++
			}
			time.Sleep(time.Millisecond)
		}
		close(jobs)
	}
	wait.Wait()
	took := time.Since(begin).Seconds()
	if rate == 0 {
		sent = len(r.times)
		took = *seconds
	}
	r.Sent = sent
	r.PerSecond = float64(len(r.times)) / took
	sort.Float64s(r.times)
	if n := len(r.times); n > 0 {
		r.MedianMs, r.P99Ms, r.MaxMs = r.times[n/2], r.times[n*99/100], r.times[n-1]
	}
	return r
}

func main() {
	flag.Parse()
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var rest, calls []asker
	for range httpClients {
		rest = append(rest, &restAsker{bodies: restBodies(&p)})
	}
	var conn *grpc.ClientConn
	for i := range grpcClients {
		if i%(grpcClients/4) == 0 {
			var err error
			conn, err = grpc.NewClient("passthrough:///"+*grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(2)
			}
			defer conn.Close()
		}
		calls = append(calls, &grpcAsker{bodies: grpcBodies(&p), conn: conn})
	}
	var both sync.WaitGroup
	out := map[string]*result{}
	var lock sync.Mutex
	for name, side := range map[string]struct {
		askers []asker
		rate   float64
	}{"rest": {rest, *httpRate}, "grpc": {calls, *grpcRate}} {
		both.Add(1)
		go func() {
			defer both.Done()
			r := run(&p, side.askers, side.rate)
			lock.Lock()
			out[name] = r
			lock.Unlock()
		}()
	}
	both.Wait()
	json.NewEncoder(os.Stdout).Encode(out)
}
