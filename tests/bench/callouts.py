"""The callouts: ext_authz behind a real Envoy, TrustService called by h2load, and auth_request of a real nginx; against a
bare echo on gRPC C core and a Go service that does the walk. Processor time of the server alone, as everywhere."""

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import decisions
import rest
from report import Figure, middle, ratios
from servers import Server, free_port, get_status, pin, split_cores

CHECK = "/envoy.service.auth.v3.Authorization/Check"
SERVICE = "/iptrust.v1.TrustService/"
PEER, XFF = "172.68.1.2", "203.0.113.7, 8.8.8.8, 172.68.9.1"
HEADERS = [("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
           ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
           ("accept-encoding", "gzip, br"), ("x-forwarded-for", XFF), ("x-forwarded-proto", "https")]
THROUGH_ENVOY, DIRECT, BATCHES, STREAMS, STREAM_LENGTH = 30000, 60000, 1500, 200, 500
CALLS_IN_ALL = 1000000

# Behind Envoy the peer is this machine, and a walk that ends at the peer measures nothing.
LISTS = """lists:
  loopback: {prefixes: [127.0.0.0/8, "::1/128"], internal: true}
  cloudflare: {provider: cloudflare}
  cloudfront: {provider: aws, services: [CLOUDFRONT_ORIGIN_FACING]}
policies:
  default: {trust: [loopback, cloudflare, cloudfront], read: [x-forwarded-for],
            chains: [[cloudfront, cloudflare], [cloudflare, cloudfront]], selectable_by: [rest, grpc, ext_authz, auth]}
"""


# ---- messages, field by field: the tools of a schema would be one more dependency of a benchmark ----

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def resolve_request():
    headers = b"".join(field(2, field(1, name) + field(2, value)) for name, value in HEADERS)
    return field(1, field(1, PEER) + headers)


def framed(message):
    return struct.pack(">BI", 0, len(message)) + message


def write_file(path, data):
    with open(path, "wb") as out:
        out.write(data)
    return path


# ---- programs ----

class Plain(Server):
    """A server without an HTTP probe: ready when it takes a connection."""

    def __init__(self, name, command, address, log, cores=None, env=None):
        self.name, self.address = name, address
        self.port = address[1] if isinstance(address, tuple) else None
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, preexec_fn=pin(cores), env=env)
        deadline = time.monotonic() + 10
        while not self.connects():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} does not listen, see {log}")
            time.sleep(0.01)

    def connects(self):
        with socket.socket(socket.AF_INET if isinstance(self.address, tuple) else socket.AF_UNIX) as s:
            try:
                s.connect(self.address)
            except OSError:
                return False
            return True


def start_daemon(tools, scratch, work, cores, name="iptrustd", program=None):
    """grpc on TCP, http on a Unix socket as nginx is to use it. The program of the release, unless told."""
    config = os.path.join(scratch, name + ".yaml")
    grpc, health = free_port(), free_port()
    with open(config, "w", encoding="ascii") as out:
        out.write("log: {level: warning}\n" + LISTS)
        out.write(f'grpc: {{listen: 127.0.0.1:{grpc}}}\nhealth: {{listen: 127.0.0.1:{health}}}\n'
                  f'http: {{listen: "unix:{scratch}/{name}.sock", mode: "0666"}}\n')
    env = rest.daemon_environment(scratch)
    server = Server(name, [program or tools.daemon, "--config", config], grpc, health, env=env,
                    log=os.path.join(work, name + "-grpc.log"), cores=cores)
    server.socket = f"{scratch}/{name}.sock"
    return server


def start_echo(tools, work, answers, cores):
    port = free_port()
    command = [tools.echo, f"127.0.0.1:{port}", str(len(cores) if cores else os.cpu_count())]
    command += [f"{path}={file}" for path, file in answers.items()]
    return Plain("echo", command, ("127.0.0.1", port), os.path.join(work, "echo.log"), cores)


def start_go(tools, scratch, work, cores):
    port, path = free_port(), f"{scratch}/go.sock"
    command = [tools.authz, "-grpc", f"127.0.0.1:{port}", "-http", path]
    write_file(os.path.join(work, "loopback.txt"), b"127.0.0.0/8\n::1/128\n")
    command += [f"{name}={os.path.join(work, name)}.txt" for name in ("loopback", "cloudflare", "cloudfront")]
    server = Plain("Go", command, ("127.0.0.1", port), os.path.join(work, "authz.log"), cores)
    server.socket = path
    return server


def start_envoy(tools, scratch, work, name, authz_port, cores):
    """One worker, which asks and answers itself; no upstream."""
    port = free_port()
    config = {
        "static_resources": {
            "listeners": [{
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
                                 "HttpConnectionManager",
                        "stat_prefix": "bench", "codec_type": "HTTP1",
                        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{
                            "match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]},
                        "http_filters": [
                            {"name": "envoy.filters.http.ext_authz", "typed_config": {
                                "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
                                "transport_api_version": "V3", "failure_mode_allow": False,
                                "grpc_service": {"timeout": "2s", "envoy_grpc": {"cluster_name": "authz"}}}},
                            {"name": "envoy.filters.http.router", "typed_config": {
                                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
                    }}]}]}],
            "clusters": [{
                "name": "authz", "type": "STATIC", "connect_timeout": "1s",
                "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http2_protocol_options": {}}}},
                "load_assignment": {"cluster_name": "authz", "endpoints": [{"lb_endpoints": [{"endpoint": {
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": authz_port}}}}]}]}}]},
    }
    path = os.path.join(scratch, f"envoy-{name}.json")
    with open(path, "w", encoding="ascii") as out:
        json.dump(config, out)
    command = [tools.envoy, "-c", path, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"]
    envoy = Plain("Envoy", command, ("127.0.0.1", port), os.path.join(work, f"envoy-{name}.log"), cores)
    for _ in range(200):  # it listens before the cluster is warm
        if get_status(port, "/") == 200:
            return envoy
        time.sleep(0.05)
    raise SystemExit(f"no request comes through Envoy to {name}, see {work}/envoy-{name}.log")


def start_nginx(scratch, work, name, upstream, cores):
    port = free_port()
    path = os.path.join(scratch, f"nginx-{name}.conf")
    temporary = "".join(f"  {kind}_temp_path {scratch}/nginx-{name}-{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(path, "w", encoding="ascii") as out:
        out.write(f"""worker_processes 1;
daemon off;
pid {scratch}/nginx-{name}.pid;
error_log {work}/nginx-{name}.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
{temporary}  upstream auth {{ server unix:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_request /auth;
      auth_request_set $client $upstream_http_x_iptrust_client_ip;
      add_header X-Client $client;
      empty_gif;
    }}
    location = /auth {{
      internal;
      proxy_pass http://auth/v1/auth/nginx;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
      proxy_set_header X-Iptrust-Peer {PEER};
    }}
  }}
}}
""")
    command = ["nginx", "-p", scratch, "-c", path, "-e", "stderr"]
    return Plain("nginx", command, ("127.0.0.1", port), os.path.join(work, f"nginx-{name}.out"), cores)


# ---- load ----

def h2load(port, path, count, clients, streams, cores, body=None, http1=False, headers=()):
    command = ["h2load", "-n", str(count), "-c", str(clients), "-t", "1", "-m", str(streams)]
    command += ["--h1"] if http1 else ["-H", "content-type: application/grpc", "-H", "te: trailers", "-d", body]
    for name, value in headers:
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(command + [f"http://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=180, preexec_fn=pin(cores))
    good = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", done.stdout)
    if not good or int(good.group(1)) != count:
        raise SystemExit(f"h2load {path}: not every answer is 200\n{done.stdout[-1500:]}")


def spend(server, each, load):
    """Processor microseconds of the server for each of what a load makes it do."""
    before = server.cpu_seconds()
    load()
    return (server.cpu_seconds() - before) * 1e6 / each


def rounds_of(what, servers, rounds, each, load):
    """servers: (server, what is asked of it). By server's name; the order turns."""
    spent = {server.name: [] for server, _ in servers}
    for _, target in servers:
        load(target)  # warm
    for number in range(rounds):
        turn = number % len(servers)
        for server, target in servers[turn:] + servers[:turn]:
            spent[server.name].append(spend(server, each, lambda: load(target)))
            print(f"round {number + 1}, {what}, {server.name}: {spent[server.name][-1]:.2f} us of processor time each",
                  flush=True)
    return spent


def ask(tools, port, path, body):
    """The answer's bytes, by a client that nobody here wrote."""
    done = subprocess.run([tools.venv_python, "-c", """
import sys, grpc
address, path, body = sys.argv[1:]
call = grpc.insecure_channel(address).unary_unary(path)
sys.stdout.buffer.write(call(open(body, "rb").read()[5:], timeout=5))
""", f"127.0.0.1:{port}", path, body], stdout=subprocess.PIPE, check=True)
    return done.stdout


# ---- measurements ----

def measure_direct(ours, core, echo, files, rounds, cores):
    """Batches and streams pay for a library that makes single calls dear, so their bounds are the C core's."""
    def unary(server):
        return lambda: h2load(server.port, SERVICE + "Resolve", DIRECT, 8, 4, cores, files["unary"])

    one = rounds_of("Resolve", [(server, unary(server)) for server in (ours, core, echo)], rounds, DIRECT, lambda load: load())
    spent = {"batch": [], "stream": []}
    loads = {"batch": (lambda: h2load(core.port, SERVICE + "ResolveBatch", BATCHES, 8, 4, cores, files["batch"]),
                       BATCHES * 100),
             "stream": (lambda: h2load(core.port, SERVICE + "ResolveStream", STREAMS, 8, 4, cores, files["stream"]),
                        STREAMS * STREAM_LENGTH)}
    for number in range(rounds):
        for name, (load, each) in loads.items():
            spent[name].append(spend(core, each, load))
            print(f"round {number + 1}, {name}: {spent[name][-1]:.2f} us a decision", flush=True)
    mine, same = one["iptrustd"], one["core"]
    return [
        Figure("gRPC Resolve: processor time, ours / bare echo", ratios(mine, one["echo"]), 1.3,
               context=f"ours {middle(mine, 'us')}, echo {middle(one['echo'], 'us')}; 32 in flight"),
        Figure("gRPC Resolve on gRPC C core: processor time, ours / bare echo", ratios(same, one["echo"]), 1.3,
               context=f"ours {middle(same, 'us')}"),
        Figure("ResolveBatch of 100 on gRPC C core: decisions per processor second, / unary", ratios(same, spent["batch"]), 2.5,
               at_least=True, context=f"a decision: {middle(spent['batch'], 'us')}"),
        Figure("ResolveStream on gRPC C core: decisions per processor second, / unary", ratios(same, spent["stream"]), 1.3,
               at_least=True, context=f"a decision: {middle(spent['stream'], 'us')}; {STREAM_LENGTH} a stream"),
    ]


def measure_million(ours, files, cores, done):
    left = max(CALLS_IN_ALL - done, 0)
    if left:
        h2load(ours.port, SERVICE + "Resolve", left, 8, 4, cores, files["unary"])
    return [Figure("resident memory after 1,000,000 calls", [ours.resident_mb()], 40, unit="MB")]


def spend_behind_envoy(tools, scratch, work, servers, rounds, cores):
    """By server's name: microseconds of each round's Check."""
    with contextlib.ExitStack() as stack:
        pairs = [(server, stack.enter_context(start_envoy(tools, scratch, work, server.name, server.port, cores)))
                 for server in servers]

        def load(envoy):
            h2load(envoy.port, "/", THROUGH_ENVOY, 16, 1, cores, http1=True, headers=HEADERS)

        return rounds_of("Check behind Envoy", pairs, rounds, THROUGH_ENVOY, load)


def measure_check(tools, scratch, work, servers, rounds, cores):
    spent = spend_behind_envoy(tools, scratch, work, servers, rounds, cores)
    mine, same, echo, go = (spent[name] for name in ("iptrustd", "core", "echo", "Go"))
    return [
        Figure("Check behind Envoy: processor time, ours / bare echo", ratios(mine, echo), 1.25,
               context=f"ours {middle(mine, 'us')}, echo {middle(echo, 'us')}; 16 connections, one worker"),
        Figure("Check behind Envoy on gRPC C core: processor time, ours / bare echo", ratios(same, echo), 1.25,
               context=f"ours {middle(same, 'us')}"),
        Figure("Check behind Envoy on gRPC C core: processor time, ours / Go", ratios(same, go), 0.6),
        Figure("Check behind Envoy: processor time, ours / Go", ratios(mine, go), 0.6, context=f"Go {middle(go, 'us')}"),
    ]


def measure_auth(scratch, work, ours, go, rounds, cores):
    with contextlib.ExitStack() as stack:
        pairs = [(server, stack.enter_context(start_nginx(scratch, work, server.name, server.socket, cores)))
                 for server in (ours, go)]
        for _, nginx in pairs:
            if get_status(nginx.port, "/") != 200:
                raise SystemExit(f"no request comes through nginx, see {work}/nginx-*.log")

        def load(nginx):
            h2load(nginx.port, "/", THROUGH_ENVOY, 16, 1, cores, http1=True, headers=HEADERS)

        spent = rounds_of("auth_request of nginx", pairs, rounds, THROUGH_ENVOY, load)
    mine, theirs = spent["iptrustd"], spent["Go"]
    return [Figure("auth_request of nginx: processor time, ours / Go", ratios(mine, theirs), 0.6,
                   context=f"ours {middle(mine, 'us')}, Go {middle(theirs, 'us')}")]


def write_requests(work):
    one = resolve_request()
    batch = one * 100  # field 1 of both, here repeated
    return {
        "unary": write_file(os.path.join(work, "resolve.bin"), framed(one)),
        "batch": write_file(os.path.join(work, "batch.bin"), framed(batch)),
        "stream": write_file(os.path.join(work, "stream.bin"), framed(one) * STREAM_LENGTH),
    }


def measure(work, tools, rounds):
    scratch = tempfile.mkdtemp(prefix="ipt-bench-")
    os.chmod(scratch, 0o755)
    serving, loading = split_cores()
    try:
        case = decisions.Case(work, tools, *decisions.TABLES[0])
        rest.write_lists(work, tools, case.config)
        files = write_requests(work)
        with contextlib.ExitStack() as stack:
            ours = stack.enter_context(start_daemon(tools, scratch, work, serving))
            os.mkdir(os.path.join(scratch, "core"), 0o755)
            core = stack.enter_context(start_daemon(tools, os.path.join(scratch, "core"), work, serving, "core", tools.core))
            go = stack.enter_context(start_go(tools, scratch, work, serving))
            check = write_file(os.path.join(work, "check.bin"), framed(b""))
            answers = {SERVICE + "Resolve": write_file(os.path.join(work, "resolve.answer"),
                                                       ask(tools, ours.port, SERVICE + "Resolve", files["unary"])),
                       CHECK: write_file(os.path.join(work, "check.answer"), ask(tools, ours.port, CHECK, check))}
            echo = stack.enter_context(start_echo(tools, work, answers, serving))
            figures = measure_direct(ours, core, echo, files, rounds, loading)
            figures += measure_check(tools, scratch, work, [ours, core, echo, go], rounds, loading)
            figures += measure_auth(scratch, work, ours, go, rounds, loading)
            figures += measure_million(ours, files, loading, DIRECT * (rounds + 1))
        return figures
    finally:
        shutil.rmtree(scratch)
