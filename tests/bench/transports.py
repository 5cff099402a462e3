"""The two libraries that can carry gRPC, as two builds of the same daemon, and a Go service that does the walk: Check behind a
real Envoy, and called by h2load without one. Processor time of the server alone."""

import contextlib
import os
import shutil
import tempfile

import callouts
import decisions
import rest
from report import Figure, middle, ratios
from servers import split_cores


def check_request():
    """As Envoy asks, field by field (callouts.py says why)."""
    field = callouts.field
    socket = field(2, callouts.PEER) + callouts.varint(3 << 3) + callouts.varint(40312)
    source = field(1, field(1, socket))
    pairs = [(":authority", "app.example"), (":method", "GET"), (":path", "/"), (":scheme", "http"), *callouts.HEADERS]
    headers = b"".join(field(3, field(1, name) + field(2, value)) for name, value in pairs)
    http = field(1, "1234567890") + field(2, "GET") + headers + field(4, "/") + field(5, "app.example") + field(10, "HTTP/1.1")
    return field(1, field(1, source) + field(4, field(2, http)))


def measure(work, tools, rounds):
    scratch = tempfile.mkdtemp(prefix="ipt-bench-")
    os.chmod(scratch, 0o755)
    serving, loading = split_cores()
    try:
        rest.write_lists(work, tools, decisions.Case(work, tools, *decisions.TABLES[0]).config)
        check = callouts.write_file(os.path.join(work, "check-request.bin"), callouts.framed(check_request()))
        with contextlib.ExitStack() as stack:
            def start(name):
                own = os.path.join(scratch, name)
                os.mkdir(own, 0o755)
                return stack.enter_context(callouts.start_daemon(tools, own, work, serving, name, getattr(tools, name)))

            nghttp2, core = start("nghttp2"), start("core")
            go = stack.enter_context(callouts.start_go(tools, scratch, work, serving))
            behind = callouts.spend_behind_envoy(tools, scratch, work, [nghttp2, core, go], rounds, loading)

            def load(server):
                callouts.h2load(server.port, callouts.CHECK, callouts.DIRECT, 8, 4, loading, check)

            direct = callouts.rounds_of("Check", [(server, server) for server in (nghttp2, core)], rounds, callouts.DIRECT, load)
    finally:
        shutil.rmtree(scratch)
    ours, others = behind["nghttp2"], behind["core"]
    return [
        Figure("Check behind Envoy: processor time, on nghttp2 / Go", ratios(ours, behind["Go"]), 0.2,
               context=f"on nghttp2 {middle(ours, 'us')}, Go {middle(behind['Go'], 'us')}; 16 connections, one worker"),
        Figure("Check behind Envoy: processor time, on nghttp2 / on gRPC C core", ratios(ours, others), 0.6,
               context=f"on the C core {middle(others, 'us')}"),
        Figure("Check: processor time, on nghttp2 / on gRPC C core", ratios(direct["nghttp2"], direct["core"]), 0.5,
               context=f"on nghttp2 {middle(direct['nghttp2'], 'us')}, on the C core {middle(direct['core'], 'us')}; 32 in flight"),
    ]
