package main

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/gaissmai/bart"
)

// The JSON of a request and a decision, with the keys of iptrustd's own.
type (
	request struct {
		Peer          string            `json:"peer"`
		Headers       [][2]string       `json:"headers"`
		ProxyProtocol *string           `json:"proxy_protocol"`
		Attributes    map[string]string `json:"attributes"`
		Policy        string            `json:"policy"`
		Principal     string            `json:"principal"`
		RequestID     *string           `json:"request_id"`
		Options       map[string]bool   `json:"options"`
	}
	hop struct {
		Hop          int        `json:"hop"`
		Address      netip.Addr `json:"address,omitzero"`
		Port         uint16     `json:"port,omitempty"`
		Text         string     `json:"text,omitempty"`
		Origin       string     `json:"origin"`
		Line         *int       `json:"line,omitempty"`
		Index        *int       `json:"index,omitempty"`
		Verdict      string     `json:"verdict"`
		List         string     `json:"list,omitempty"`
		Prefix       string     `json:"prefix,omitempty"`
		ListRevision string     `json:"list_revision,omitempty"`
		FetchedAt    string     `json:"fetched_at,omitempty"`
	}
	reason struct {
		Code  string `json:"code"`
		Cap   string `json:"cap,omitempty"`
		Count int    `json:"count,omitempty"`
	}
	finding struct {
		Code   string `json:"code"`
		Header string `json:"header"`
		Detail string `json:"detail"`
	}
	clientInfo struct {
		Class        string      `json:"class"`
		EmbeddedIPv4 *netip.Addr `json:"embedded_ipv4"`
		Lists        []string    `json:"lists"`
	}
	confidence struct {
		Level   string   `json:"level"`
		Score   int      `json:"score"`
		Reasons []reason `json:"reasons"`
	}
	verdict struct {
		Action string  `json:"action"`
		Rule   *string `json:"rule"`
	}
	forwarded struct {
		Proto   *string  `json:"proto"`
		Host    *string  `json:"host"`
		Port    *int     `json:"port"`
		Prefix  *string  `json:"prefix"`
		Via     []string `json:"via"`
		Vouched []string `json:"vouched"`
	}
	keys struct {
		RateLimit  *netip.Prefix `json:"rate_limit"`
		Network    *netip.Prefix `json:"network"`
		Anonymized *netip.Addr   `json:"anonymized"`
		Peer       netip.Prefix  `json:"peer"`
	}
	revision struct {
		Policies string  `json:"policies"`
		Lists    string  `json:"lists"`
		Geo      *string `json:"geo"`
	}
	decision struct {
		ClientIP      netip.Addr `json:"client_ip"`
		ClientPort    *uint16    `json:"client_port"`
		Complete      bool       `json:"complete"`
		Source        string     `json:"source"`
		Client        clientInfo `json:"client"`
		Confidence    confidence `json:"confidence"`
		Verdict       verdict    `json:"verdict"`
		Chain         []hop      `json:"chain"`
		Findings      []finding  `json:"findings"`
		Forwarded     forwarded  `json:"forwarded"`
		ProxyProtocol *string    `json:"proxy_protocol"`
		Geo           *string    `json:"geo"`
		Keys          keys       `json:"keys"`
		Policy        string     `json:"policy"`
		Revision      revision   `json:"revision"`
		RequestID     *string    `json:"request_id"`
	}
)

type list struct {
	name, revision, fetchedAt string
}

type policy struct {
	name  string
	lists []*list
	table bart.Table[*list]
}

func (p *policy) load(name, path, fetchedAt string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	l := &list{name: name, revision: "9c1f3a5b7d9e0f12", fetchedAt: fetchedAt}
	p.lists = append(p.lists, l)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		prefix, err := netip.ParsePrefix(lines.Text())
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		p.table.Insert(prefix, l)
	}
	return nil
}

// find answers the list that holds the address and its longest prefix there.
func (p *policy) find(addr netip.Addr) (*list, netip.Prefix) {
	prefix, l, ok := p.table.LookupPrefixLPM(netip.PrefixFrom(addr, addr.BitLen()))
	if !ok {
		return nil, netip.Prefix{}
	}
	return l, prefix
}

// parseEndpoint reads an address as forwarding headers and peers carry it, with or without a port.
func parseEndpoint(text string) (netip.Addr, uint16, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Unmap(), 0, nil
	}
	ap, err := netip.ParseAddrPort(text)
	return ap.Addr().Unmap(), ap.Port(), err
}

// numbers lends addresses to optional integers of the JSON, so that a hop costs no allocation for them.
var numbers = func() (n [64]int) {
	for i := range n {
		n[i] = i
	}
	return
}()

// walk fills the chain from the peer outwards: trusted hops, the client, and what nobody vouches for behind it.
func (p *policy) walk(d *decision, peer netip.Addr, port uint16, lines []string) (unvouched int, trustedBehind bool) {
	d.Chain = make([]hop, 1, 8)
	d.Chain[0] = hop{Address: peer, Port: port, Origin: "peer", Verdict: "client"}
	d.ClientIP, d.Source = peer, "peer"
	open := false
	if l, prefix := p.find(peer); l != nil {
		d.Chain[0].trust(l, prefix)
		open = true
	}
	for line := len(lines) - 1; line >= 0; line-- {
		rest := lines[line]
		for index := strings.Count(rest, ","); index >= 0; index-- {
			comma := strings.LastIndexByte(rest, ',')
			text := strings.TrimSpace(rest[comma+1:])
			rest = rest[:max(comma, 0)]
			if len(d.Chain) >= len(numbers) {
				return
			}
			d.Chain = append(d.Chain, hop{Hop: len(d.Chain), Origin: "x-forwarded-for",
				Line: &numbers[line], Index: &numbers[min(index, 63)], Verdict: "unvouched"})
			h := &d.Chain[len(d.Chain)-1]
			addr, port, err := parseEndpoint(text)
			if err != nil {
				h.Text, open = text, false
				unvouched++
				continue
			}
			h.Address, h.Port = addr, port
			l, prefix := p.find(addr)
			switch {
			case !open:
				unvouched++
				trustedBehind = trustedBehind || l != nil
			case l != nil:
				h.trust(l, prefix)
				d.ClientIP, d.Source = addr, h.Origin
			default:
				h.Verdict, open = "client", false
				d.ClientIP, d.Source, d.Complete = addr, h.Origin, true
			}
		}
	}
	return
}

func (h *hop) trust(l *list, prefix netip.Prefix) {
	h.Verdict, h.List, h.Prefix, h.ListRevision, h.FetchedAt = "trusted", l.name, prefix.String(), l.revision, l.fetchedAt
}

func class(addr netip.Addr) string {
	switch {
	case addr.IsUnspecified():
		return "unspecified"
	case addr.IsLoopback():
		return "loopback"
	case addr.IsPrivate():
		return "private"
	case addr.IsLinkLocalUnicast():
		return "link_local"
	case addr.IsMulticast():
		return "multicast"
	}
	return "global"
}

func masked(addr netip.Addr, v4, v6 int) netip.Prefix {
	bits := v6
	if addr.Is4() {
		bits = v4
	}
	prefix, _ := addr.Prefix(bits)
	return prefix
}

func (p *policy) decide(r *request) (*decision, error) {
	peer, port, err := parseEndpoint(r.Peer)
	if err != nil {
		return nil, err
	}
	d := &decision{Policy: p.name, RequestID: r.RequestID, Verdict: verdict{Action: "allow"},
		Findings: []finding{}, Revision: revision{Policies: "3f2a9c41", Lists: "d0e77b02"}}
	d.Forwarded.Via, d.Forwarded.Vouched, d.Client.Lists = []string{}, []string{}, []string{}
	lines := make([]string, 0, 4)
	for i := range r.Headers {
		value := &r.Headers[i][1]
		switch strings.ToLower(r.Headers[i][0]) {
		case "x-forwarded-for":
			lines = append(lines, *value)
		case "x-forwarded-proto":
			d.Forwarded.Proto = value
		case "x-forwarded-host":
			d.Forwarded.Host = value
		case "x-forwarded-prefix":
			d.Forwarded.Prefix = value
		case "via":
			d.Forwarded.Via = append(d.Forwarded.Via, *value)
		}
	}
	unvouched, trustedBehind := p.walk(d, peer, port, lines)
	d.explain(unvouched, trustedBehind)
	d.Client.Class = class(d.ClientIP)
	if l, _ := p.find(d.ClientIP); l != nil {
		d.Client.Lists = append(d.Client.Lists, l.name)
	}
	d.Keys.Peer = masked(peer, 32, 64)
	if d.Complete {
		rate, network := masked(d.ClientIP, 32, 64), masked(d.ClientIP, 24, 48)
		anonymized := network.Addr()
		d.Keys.RateLimit, d.Keys.Network, d.Keys.Anonymized = &rate, &network, &anonymized
	}
	return d, nil
}

// explain gives the reasons and findings that iptrustd gives in the same place.
func (d *decision) explain(unvouched int, trustedBehind bool) {
	trusted := d.Chain[0].List != ""
	d.Confidence = confidence{Level: "medium", Score: 55, Reasons: make([]reason, 0, 6)}
	add := func(code, cap string, count int) {
		d.Confidence.Reasons = append(d.Confidence.Reasons, reason{code, cap, count})
	}
	switch {
	case !trusted:
		d.Complete = true
		add("peer_untrusted_direct", "high", 0)
	case d.Complete:
		add("walk_first_untrusted", "high", 0)
	case len(d.Chain) == 1:
		add("peer_trusted_no_header", "low", 0)
	default:
		d.Complete = true
		add("all_hops_trusted", "medium", 0)
	}
	if trusted {
		add("shared_provider", "medium", 0)
		add("list_stale", "medium", 0)
		add("list_bundled", "", 0)
	}
	if unvouched > 0 {
		add("unvouched_entries", "", unvouched)
	}
	if trustedBehind {
		d.Findings = append(d.Findings, finding{"trusted_address_in_unvouched", "x-forwarded-for",
			"an entry that nobody vouches for names an address of a trusted list"})
	}
}
