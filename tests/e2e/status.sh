# Goal: status says whether a worker or a coordinator is well, with an exit status that a health check can use, and what it counted:
# for people, as JSON and as Prometheus reads it, from a file and at a loopback port; and nothing of a patient.
. tests/e2e/lib.sh
up --sites 3
one=$net/sites/site-1 hub=$net/coordinator
status() { "$bin/maille-worker" status --dir "$one" "$@"; }
study one 'sites: all' 'analyses:' '  - { id: age, method: describe, variables: [age] }'

# value NAME FILE: of a JSON status; null where never.
value() { python3 -c 'import json, sys; print(json.load(open(sys.argv[2]))["figures"][sys.argv[1]])' "$1" "$2"; }
at_least() {
    status --json >"$tmp/json" || return 1
    [ "$(value "$1" "$tmp/json")" -ge "$2" ]
}

wait_for 15 status
ask "$tmp/one.yaml" >/dev/null || fail "expected an answer"
wait_for 15 at_least queries_answered 1
for row in "processes 4" "restarts 0" "queries_asked 1" "queries_refused 0" "key_refused 0" "snapshot 1"; do
    [ "$(value ${row% *} "$tmp/json")" = "${row#* }" ] || fail "expected $row, found $(value ${row% *} "$tmp/json")"
done
[ "$(value rounds "$tmp/json")" -ge 1 ] && [ "$(value bytes_sent "$tmp/json")" -gt 1000 ] || fail "expected rounds and bytes"
[ "$(value log_bytes "$tmp/json")" -gt 0 ] && [ "$(value disk_free_bytes "$tmp/json")" -gt 0 ] || fail "expected sizes"
says 0 '^well$' status
says 0 'seconds ago\|s ago' status
says 0 '^open queries\|^no open query' "$bin/maille-coordinator" status --dir "$hub"
coordinator() {
    "$bin/maille-coordinator" status --dir "$hub" --json >"$tmp/hub.json" || return 1
    [ "$(value "$1" "$tmp/hub.json")" = "$2" ]
}
wait_for 15 coordinator queries_asked 1
wait_for 15 coordinator sites_here 3
parties() { # "last seen" is written down every ten seconds
    "$bin/maille-coordinator" status --dir "$hub" --json >"$tmp/hub.json" && python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
assert r["healthy"] and r["problems"] == [] and r["queries"] == [] and {p["name"] for p in r["parties"]} >= {"site-1", "site-2", "site-3"}, r
' "$tmp/hub.json" 2>/dev/null
}
wait_for 15 parties

# The last studies, the newest first, in both languages.
"$bin/maille-worker" studies --dir "$one" --lang en >"$tmp/studies"
sed -n 1p "$tmp/studies" | grep -q ' one, researcher: answered, [0-9]* round' && sed -n 2p "$tmp/studies" | grep -q ' one, researcher: asked, ' ||
    fail "expected the study, answered and asked, found: $(cat "$tmp/studies")"
says 0 'one, researcher: répondue, [0-9]* round' "$bin/maille-worker" studies --dir "$one" --lang fr
"$bin/maille-worker" studies --dir "$one" --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
assert [x["what"].split(",")[0] for x in r] == ["answered", "asked"] and {(x["study"], x["researcher"]) for x in r} == {("one", "researcher")}, r
' || fail "expected the same in JSON"
says 0 '^no study$' "$bin/maille-worker" studies --dir "$tmp" --lang en

# A refusal is counted.
printf 'policy: open\nmethods: [count]\n' >"$one/policy.yaml"
kill -HUP "$(cat "$one/pid")"
restarted() { [ "$(grep -c 'vault: policy' "$one/program.log")" -ge 2 ]; }
wait_for 15 restarted
ask "$tmp/one.yaml" >/dev/null 2>&1 || true
wait_for 15 at_least queries_asked 2
wait_for 15 at_least analyses_refused 1
says 0 'one, researcher: asked, .*refused' "$bin/maille-worker" studies --dir "$one" --lang en

# Prometheus: a file that another user may read, whole or not there, and standard output.
says 0 '' status --prometheus "$tmp/maille.prom"
[ "$(stat -c %a "$tmp/maille.prom")" = 644 ] || fail "expected a file that node_exporter may read"
status --prometheus - >"$tmp/out.prom"
grep -q '^maille_worker_healthy 1$' "$tmp/out.prom" && grep -q '^maille_worker_analyses_refused_total [1-9]' "$tmp/out.prom" ||
    fail "expected figures in the text for Prometheus"
python3 - "$tmp/maille.prom" <<'PARSE' || fail "expected what Prometheus reads"
import re, sys
types, n = {}, 0
for line in open(sys.argv[1]):
    if line.startswith("# TYPE "):
        name, kind = line.split()[2:]
        assert name not in types and kind in ("gauge", "counter") and (kind == "counter") == name.endswith("_total"), line
        types[name] = kind
    elif not line.startswith("# HELP "):
        name, value = re.fullmatch(r"([a-z_]+) (-?\d+(?:\.\d{3})?)\n", line).groups()
        assert name in types, line
        n += 1
assert n == len(types) and n > 20
PARSE

# At a loopback port, from a process that has nothing else.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$maille" sandbox down --dir "$net" >/dev/null
printf 'metrics: 0.0.0.0:%s\n' "$port" >"$tmp/open.yaml"
cp "$one/worker.yaml" "$tmp/worker.yaml"
cat "$tmp/open.yaml" >>"$one/worker.yaml"
says 2 'address of this machine alone' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
cp "$tmp/worker.yaml" "$one/worker.yaml"
echo "metrics: 127.0.0.1:$port" >>"$one/worker.yaml"
says 1 'expected a worker that runs over' status
"$bin/maille-worker" serve --dir "$one" --credential "$net/credential" 2>"$tmp/served" &
strays=$!
get() {
    python3 -c '
import sys, urllib.request
page = urllib.request.urlopen("http://127.0.0.1:%s%s" % tuple(sys.argv[1:3]), timeout=5).read().decode()
sys.exit(0 if "\nmaille_worker_processes 4\n" in page else 1)' "$port" "$1"
}
wait_for 10 get /metrics
! get /etc/passwd 2>/dev/null || fail "expected one path alone"
metrics=$(ps -o pid=,comm= --ppid "$strays" | awk '$2 == "maille-metrics" { print $1 }')
says 0 '^Seccomp:.2$' cat "/proc/$metrics/status"
[ "$(ls "/proc/$metrics/fd" | wc -l)" -le 6 ] || fail "expected standard descriptors, a socket and a pipe, found $(ls -l "/proc/$metrics/fd")"

# Without a coordinator it says so, and a stopped one is no running one.
says 3 'found none since the start' sh -c "sleep 2; exec '$bin/maille-worker' status --dir '$one' --silent 1s"
says 0 '' status --silent 10m
kill -9 "$strays"
strays=
gone() { [ ! -e "/proc/$metrics" ]; }
wait_for 10 gone
says 1 'maille-worker serve --dir' status
says 1 'expected a coordinator that runs' "$bin/maille-coordinator" status --dir "$hub"
says 1 '' status --json
says 2 'expected a coordinator that has run' "$bin/maille-coordinator" status --dir "$one"
done_well
