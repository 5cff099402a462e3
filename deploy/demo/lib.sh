# The common part of the demos: an echo service, iptrustd and a proxy on free ports of loopback, two requests with forged
# headers, and everything gone at the end. Sourced by */run, which say how the proxy is started.
set -euo pipefail
demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
deploy=$(dirname "$demo")
stay=no
case "${1:-}" in
"") ;;
--stay) stay=yes ;;
*)
  echo "usage: deploy/demo/$(basename "$(dirname "$0")")/run [--stay]" >&2
  echo "Shows how iptrustd sees through forged headers. --stay leaves it running until Ctrl-C." >&2
  exit 2
  ;;
esac

# What was built in this checkout, else what is installed; IPTRUST_BIN names another folder.
PATH=${IPTRUST_BIN:-$deploy/../build/release}:$PATH
needs() { # program, where it comes from
  command -v "$1" >/dev/null || { echo "this demo needs $1: $2" >&2; exit 1; }
}
needs iptrustd "deploy/quickstart builds it"
needs python3 "apt install python3"
needs curl "apt install curl"

dir=$(mktemp -d "${TMPDIR:-/tmp}/iptrust-demo-XXXXXX")
chmod 755 "$dir"
pids=()
end() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

launch() { # name, command...
  local name=$1
  shift
  "$@" >"$dir/$name.log" 2>&1 </dev/null &
  pids+=($!)
}
wait_port() { # name, port
  local i
  for i in $(seq 200); do
    (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return 0
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  echo "$1 did not start:" >&2
  cat "$dir/$1.log" >&2
  exit 1
}
put() { # file, old, new: the snippet must have what is replaced, or the demo shows something else than it says
  grep -qF -- "$2" "$1" || { echo "$1 no longer has: $2" >&2; exit 1; }
  python3 - "$@" <<'PYTHON'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
open(path, "w").write(text.replace(old, new))
PYTHON
}
free_ports() { # how many: below those that the kernel gives to connections
  python3 - "$1" <<'PYTHON'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(20000, 32000)))
        held.append(s)
    except OSError:
        pass
print(*(s.getsockname()[1] for s in held))
PYTHON
}

read -r echo_port proxy_port http_port grpc_port health_port spare_port < <(free_ports 6)

start_echo_and_iptrustd() { # who may name the policy
  launch echo python3 "$demo/echo.py" "$echo_port"
  wait_port echo "$echo_port"
  # One policy under the two names that the snippets use.
  local policy="{trust: [lb], read: [x-forwarded-for], clients: any, selectable_by: [$1]}"
  # Clients are told apart by the address of loopback that they come from.
  cat >"$dir/iptrustd.yaml" <<YAML
http: {listen: 127.0.0.1:$http_port}
grpc: {listen: 127.0.0.1:$grpc_port}
health: {listen: 127.0.0.1:$health_port}
admin: {listen: "unix:$dir/admin.sock"}
auth: {token_file: $dir/proxy.token}
drain: {delay: 0s, timeout: 2s}
lists:
  lb: {prefixes: [127.0.0.2], internal: true}   # the load balancer of this demo
policies:
  default: $policy
  edge: $policy
YAML
  echo "token-of-this-demo" >"$dir/proxy.token"
  launch iptrustd env IPTRUST_REFRESH=off iptrustd --config "$dir/iptrustd.yaml"
  wait_port iptrustd "$health_port"
  curl -fsS -o /dev/null --retry 20 --retry-delay 1 --retry-all-errors "http://127.0.0.1:$health_port/readyz"
}

request() { # title, address that it comes from, X-Forwarded-For, what the application must be told
  local answer got
  printf '\n== %s\n\n' "$1"
  printf '  $ curl -H "X-Forwarded-For: %s" -H "X-Iptrust-Client-Ip: 6.6.6.6"     (from %s)\n' "$3" "$2"
  answer=$(curl -fsS --max-time 20 --interface "$2" -H "X-Forwarded-For: $3" -H "X-Iptrust-Client-Ip: 6.6.6.6" "http://127.0.0.1:$proxy_port/")
  printf '  the application got:\n'
  grep -iE '^(x-forwarded-for|x-iptrust-(client-ip|confidence|source|chain)):' <<<"$answer" | sort | sed 's/^/    /'
  got=$(sed -n 's/^x-iptrust-client-ip: //Ip' <<<"$answer")
  if [ "$got" != "$4" ]; then
    echo "x-iptrust-client-ip should be $4 and nothing else" >&2
    tail -n +1 "$dir"/*.log >&2
    exit 1
  fi
  printf '\n  $ iptrust explain --peer %s -H "X-Forwarded-For: %s"\n\n' "$2" "$3"
  iptrust explain --config "$dir/iptrustd.yaml" --peer "$2" -H "X-Forwarded-For: $3" | sed 's/^/  /'
}

show() {
  request "A stranger says that he is 8.8.8.8" 127.0.0.3 "8.8.8.8" 127.0.0.3
  request "Through the balancer comes 198.51.100.7, who wrote 8.8.8.8 in front" 127.0.0.2 "8.8.8.8, 198.51.100.7" 198.51.100.7
  echo
  if [ "$stay" = yes ]; then
    echo "It stays: http://127.0.0.1:$proxy_port/ (Ctrl-C ends it)"
    wait "${pids[@]}" || true
  else
    echo "Seen through, both of them. Everything is ended and removed."
  fi
}
