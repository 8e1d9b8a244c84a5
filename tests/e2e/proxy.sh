# Goal: where only a proxy leads out, a site and a researcher reach the coordinator through it, by HTTP CONNECT and by SOCKS5, with a
# password or without; what stands in the way is named: a wrong password, a rule of the proxy's, an inspection of TLS. Debian's
# tinyproxy is the proxy; a SOCKS5 one and those that inspect are of this test (tests/e2e/proxies.py).
. tests/e2e/lib.sh
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
study one 'sites: all' 'analyses:' '  - { id: age, method: describe, variables: [age] }'
up --sites 3
one=$net/sites/site-1
hub=$(sed -n 's/.*listens at tcp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$net/coordinator/program.log" | head -n 1)
[ -n "$hub" ] || fail "expected the port of the coordinator"
kill "$(cat "$one/pid")"
gone() { ! kill -0 "$(cat "$one/pid")" 2>/dev/null; }
wait_for 10 gone

# tiny PORT CONNECT-PORT LINE…: tinyproxy in the foreground.
tiny() {
    {
        printf 'Port %s\nListen 127.0.0.1\nTimeout 600\nMaxClients 20\nConnectPort %s\nLogFile "%s/tiny.log"\nLogLevel Connect\n' "$1" "$2" "$tmp"
        shift 2
        for line; do echo "$line"; done
    } >"$tmp/tiny.conf"
    tinyproxy -d -c "$tmp/tiny.conf" >"$tmp/tiny.out" 2>&1 &
    strays="$strays $!"
}
helper() {
    python3 tests/e2e/proxies.py "$@" >>"$tmp/helper.out" 2>&1 &
    strays="$strays $!"
}
# serve PROXY [CREDENTIAL]: site-1, until stop.
cp "$one/worker.yaml" "$tmp/worker.yaml"
serve() {
    cp "$tmp/worker.yaml" "$one/worker.yaml"
    printf 'proxy: %s\n' "$1" >>"$one/worker.yaml"
    [ $# = 1 ] || printf 'proxy_credential: %s\n' "$2" >>"$one/worker.yaml"
    rm -f "$tmp/served"
    "$bin/maille-worker" serve --dir "$one" --credential "$net/credential" 2>"$tmp/served" &
    site=$!
    strays="$strays $site"
}
stop() {
    kill "$site" 2>/dev/null || true
    wait "$site" 2>/dev/null || true
}
connected() { grep -q 'connected to the coordinator' "$tmp/served"; }
told() { grep -q -- "$1" "$tmp/served"; }

# HTTP CONNECT by tinyproxy, for the site and for the researcher.
http=$(free_port)
tiny "$http" "$hub"
serve "http://127.0.0.1:$http"
wait_for 15 connected
MAILLE_PROXY="http://127.0.0.1:$http" ask "$tmp/one.yaml" >/dev/null || fail "expected an answer through the proxy"
json 'a["age"]["n"] == 2982 and r["sites"] == 3'
[ "$(grep -c "CONNECT 127.0.0.1:$hub" "$tmp/tiny.log")" -ge 2 ] || fail "expected both to have gone through the proxy"
net_of() { ps -o pid=,comm= --ppid "$site" | awk '$2 == "maille-net" { print $1 }'; }
says 0 '^Seccomp:.2$' cat "/proc/$(net_of)/status"
stop

# What the proxy refuses is said.
refusing=$(free_port)
tiny "$refusing" 443
serve "http://127.0.0.1:$refusing"
wait_for 15 told "to open the way to 127.0.0.1:$hub, found its status 403: it does not let anybody pass there"
stop

# A password: right, wrong, none; and it stands in no line.
locked=$(free_port)
tiny "$locked" "$hub" 'BasicAuth hospital s3cret-word'
printf 'hospital:s3cret-word\n' >"$tmp/right"
printf 'hospital:other\n' >"$tmp/wrong"
printf 'no-colon\n' >"$tmp/none"
chmod 600 "$tmp/right" "$tmp/wrong" "$tmp/none"
serve "http://127.0.0.1:$locked" "$tmp/right"
wait_for 15 connected
! grep -q 's3cret' "$tmp/served" || fail "a password in the program's log"
stop
serve "http://127.0.0.1:$locked" "$tmp/wrong"
wait_for 15 told 'asks for a user and a password that it knows: proxy_credential'
stop
chmod 644 "$tmp/right"
cp "$tmp/worker.yaml" "$one/worker.yaml"
printf 'proxy: http://127.0.0.1:1\nproxy_credential: %s\n' "$tmp/right" >>"$one/worker.yaml"
says 2 'right' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
cp "$tmp/worker.yaml" "$one/worker.yaml"
printf 'proxy: http://127.0.0.1:1\nproxy_credential: %s\n' "$tmp/none" >>"$one/worker.yaml"
says 2 'expected USER:PASSWORD' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
cp "$tmp/worker.yaml" "$one/worker.yaml"
echo 'proxy: ftp://127.0.0.1:1' >>"$one/worker.yaml"
says 2 'expected a proxy such as' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"

# SOCKS5, without a password and with one.
socks=$(free_port) guarded=$(free_port)
chmod 600 "$tmp/right"
helper socks5 "$socks"
helper socks5 "$guarded" hospital s3cret-word
serve "socks5://127.0.0.1:$socks"
wait_for 15 connected
stop
serve "socks5://127.0.0.1:$guarded" "$tmp/right"
wait_for 15 connected
stop
serve "socks5://127.0.0.1:$guarded"
wait_for 15 told 'asks for a user and a password: proxy_credential'
stop
serve "http://127.0.0.1:$socks"
wait_for 20 told 'expected an HTTP proxy at'
stop

# Somebody looks into what passes: behind a proxy, and (a transparent one) without.
for kind in tls html closes; do
    inspecting=$(free_port)
    helper "$kind" "$inspecting"
    serve "http://127.0.0.1:$inspecting"
    wait_for 15 told "behind the proxy 127.0.0.1:$inspecting.*TLS inspection"
    stop
done
says 3 'TLS inspection' env MAILLE_PROXY="http://127.0.0.1:$inspecting" "$maille" list --network "$net/network.yaml" \
    --key "$net/researcher.key" --credential "$net/credential"
done_well
