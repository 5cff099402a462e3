"""The daemon over HTTP against nginx, which does nothing, and a Go server, which does the same: processor time for each
request at the same load. And what the daemon takes before any request: memory, and time to be ready."""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile

import decisions
from report import Figure, middle, ratios
from servers import Server, free_port, nginx_config, same_shape, split_cores

SECONDS = 3        # of load for each server in each round
BODIES = 1024      # distinct requests
BATCH, BATCHES = 100, 16
LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "post.lua")
RESOLVE, RESOLVE_BATCH = "/v1/resolve", "/v1/resolve/batch"


def write_lists(work, tools, config):
    """The two providers' prefixes as the daemon has them, for the Go server."""
    for name in ("cloudflare", "cloudfront"):
        with open(os.path.join(work, name + ".txt"), "w", encoding="ascii") as out:
            subprocess.run([tools.decide, "prefixes", config, name], stdout=out, check=True)


def request(peer, xff):
    """What a proxy that asks on behalf of a browser would send: its peer and the headers that it got."""
    return {
        "peer": peer,
        "headers": [
            ["Host", "www.example.org"],
            ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
            ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
            ["Accept-Encoding", "gzip, br"],
            ["X-Forwarded-For", xff],
            ["X-Forwarded-Proto", "https"],
        ],
        "policy": "default",
    }


def write_bodies(work, stream_path):
    """From the stream of the small table: single requests, and the same ones in batches."""
    with open(stream_path, encoding="ascii") as stream:
        requests = [request(*next(stream).rstrip("\n").split("\t")) for _ in range(max(BODIES, BATCH * BATCHES))]

    def dump(value):
        return json.dumps(value, separators=(",", ":"))

    single, batch = os.path.join(work, "single.bodies"), os.path.join(work, "batch.bodies")
    bodies = [dump(r) for r in requests[:BODIES]]
    batches = [dump({"requests": requests[i * BATCH:(i + 1) * BATCH]}) for i in range(BATCHES)]
    for path, lines in ((single, bodies), (batch, batches)):
        with open(path, "w", encoding="ascii") as out:
            out.write("\n".join(lines) + "\n")
    return single, bodies, batch, batches


def daemon_environment(scratch):
    """Nothing leaves the machine, and no socket of a daemon that is in use is touched."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("IPTRUST_")}
    return env | {"IPTRUST_REFRESH": "off", "IPTRUST_ADMIN_LISTEN": f"unix:{scratch}/admin.sock",
                  "XDG_RUNTIME_DIR": scratch}


def start_daemon(tools, scratch, work, config=None, cores=None):
    port, health = free_port(), free_port()
    env = daemon_environment(scratch)
    env |= {"IPTRUST_HTTP_LISTEN": f"127.0.0.1:{port}", "IPTRUST_HEALTH_LISTEN": f"127.0.0.1:{health}",
            "IPTRUST_GRPC_LISTEN": "127.0.0.1:0"}
    command = [tools.daemon] + (["--config", config] if config else [])
    return Server("iptrustd", command, port, health, env=env, log=os.path.join(work, "iptrustd.log"),
                  cores=cores)


def start_go(tools, work, cores):
    port = free_port()
    command = [tools.rest, "-listen", f"127.0.0.1:{port}"]
    command += [f"{name}={os.path.join(work, name)}.txt" for name in ("cloudflare", "cloudfront")]
    return Server("Go", command, port, log=os.path.join(work, "go.log"), cores=cores)


def start_nginx(work, scratch, size, cores):
    """As many workers as there are cores, like the loops of the daemon; Go counts its cores itself."""
    port = free_port()
    config = nginx_config(scratch, port, size, len(cores or os.sched_getaffinity(0)))
    command = ["nginx", "-p", scratch, "-c", config, "-e", "stderr"]
    return Server("nginx", command, port, log=os.path.join(work, "nginx.log"), cores=cores)


def compare(ours, go, bodies, batches):
    """The comparator must do the same work: same clients, same keys, a body of about the same size."""
    left, right = ours.post(RESOLVE, bodies[:256]), go.post(RESOLVE, bodies[:256])
    for body, a, b in zip(bodies, left, right):
        difference = same_shape(a, b)
        if difference:
            raise SystemExit(f"ours and Go differ, {difference}\n{body}\n{a.decode()}\n{b.decode()}")
    for a, b in zip(ours.post(RESOLVE_BATCH, batches[:4]), go.post(RESOLVE_BATCH, batches[:4])):
        clients = [[r["decision"]["client_ip"] for r in json.loads(answer)["results"]] for answer in (a, b)]
        if clients[0] != clients[1] or len(clients[0]) != BATCH:
            raise SystemExit("ours and Go differ in a batch")
    sizes = [statistics.mean(map(len, answers)) for answers in (left, right)]
    print(f"REST: {len(left)} answers, same clients and keys; {statistics.mean(map(len, bodies)):.0f} bytes asked, "
          f"{sizes[0]:.0f} answered by us, {sizes[1]:.0f} by Go", flush=True)
    return round(sizes[0]), sizes[1] / sizes[0]


def rounds_of_load(servers, path, bodies_file, rounds, cores, each=1):
    """Processor microseconds for each request (or each of a batch's), by server and round; the order turns."""
    spent = {server.name: [] for server in servers}
    for server in servers:
        server.load(LUA, path, bodies_file, 1, cores)  # warm
    for number in range(rounds):
        turn = number % len(servers)
        for server in servers[turn:] + servers[:turn]:
            requests, seconds = server.load(LUA, path, bodies_file, SECONDS, cores)
            spent[server.name].append(seconds * 1e6 / (requests * each))
            print(f"round {number + 1}, {path}, {server.name}: {requests * each / SECONDS:.0f} a second, "
                  f"{spent[server.name][-1]:.2f} us of processor time each", flush=True)
    return spent


def measure_load(work, tools, scratch, rounds):
    case = decisions.Case(work, tools, *decisions.TABLES[0])
    write_lists(work, tools, case.config)
    single, bodies, batch, batches = write_bodies(work, case.stream)
    config = os.path.join(scratch, "iptrustd.yaml")
    with open(config, "w", encoding="ascii") as out:
        out.write("log: {level: warning}\n" + decisions.PROVIDERS)
    serving, loading = split_cores()
    if serving is None:
        print("REST: one core, which the servers share with the load generator: read the ratios with care", flush=True)
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(start_daemon(tools, scratch, work, config, serving))
        go = stack.enter_context(start_go(tools, work, serving))
        size, same = compare(ours, go, bodies, batches)
        nginx = stack.enter_context(start_nginx(work, scratch, size, serving))
        one = rounds_of_load([ours, nginx, go], RESOLVE, single, rounds, loading)
        many = rounds_of_load([ours, go], RESOLVE_BATCH, batch, rounds, loading, BATCH)
        resident = ours.resident_mb()
    mine, theirs, idle = one["iptrustd"], one["Go"], one["nginx"]
    return [
        Figure("POST /v1/resolve: processor time, ours / nginx `return 200`", ratios(mine, idle), 1.6,
               context=f"ours {middle(mine, 'us')}, nginx {middle(idle, 'us')}"),
        Figure("POST /v1/resolve: processor time, ours / Go", ratios(mine, theirs), 0.6,
               context=f"Go {middle(theirs, 'us')}; its answers have {same:.2f} times our bytes"),
        Figure(f"batch of {BATCH}: decisions per processor second, ours / Go",
               ratios(many["Go"], many["iptrustd"]), 3, at_least=True,
               context=f"a decision: ours {middle(many['iptrustd'], 'us')}, Go {middle(many['Go'], 'us')}"),
        Figure("resident memory after all this load", [resident], 20, unit="MB", context="two providers' lists"),
    ]


def measure_start(work, tools, scratch, rounds):
    ready, resident = [], []
    for _ in range(rounds):
        with start_daemon(tools, scratch, work) as daemon:
            ready.append(daemon.ready_ms)
            resident.append(daemon.resident_mb())
    return [Figure("resident memory when ready, embedded default", resident, 20, unit="MB"),
            Figure("ready (start to `/readyz` 200), embedded default", ready, 100, unit="ms")]


def measure(work, tools, rounds):
    # A Unix socket's path is short, and the build directory's may not be.
    scratch = tempfile.mkdtemp(prefix="ipt-bench-")
    os.chmod(scratch, 0o755)  # nginx's workers are another user
    try:
        return measure_start(work, tools, scratch, rounds) + measure_load(work, tools, scratch, rounds)
    finally:
        shutil.rmtree(scratch)
