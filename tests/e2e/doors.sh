# Goal: whoever runs a site or the coordinator reads what is going on: one line a study, clocks, ports, credentials; and who asks hears at
# once that too few sites are there.
. tests/e2e/lib.sh
up --sites 4
one=$net/sites/site-1/program.log
study good 'analyses:' '  - { id: age, method: describe, variables: [age] }'
says 0 '' ask "$tmp/good.yaml" --quiet
wait_for 5 grep -q 'good of researcher: answered, 1 round$' "$one"
says 0 'good of researcher: asked, ready$' cat "$one"
says 0 "this machine's clock is 0.. s .* the coordinator's" cat "$one"

# A rule that refuses is named.
printf 'policy: open\nmethods: [count]\n' >"$net/sites/site-1/policy.yaml"
"$maille" sandbox restart --dir "$net" site-1 >/dev/null
says 1 '' ask "$tmp/good.yaml" --quiet
says 0 'good of researcher: asked, ready; refused: age (methods)' cat "$one"
printf 'policy: open\n' >"$net/sites/site-1/policy.yaml"

# Four sites and one away: said at once, and the run ends, unless it is to wait.
"$maille" sandbox restart --dir "$net" site-1 >/dev/null
"$maille" sandbox kill --dir "$net" site-4 >/dev/null
sleep 6
began=$(date +%s)
says 3 'not connected: site-4; of the 4 sites that are named at least 4 are needed, and 3 cannot go on alone' ask "$tmp/good.yaml"
grep -q 'found site-4 away; `maille resume .*--wait waits for them, or ask the others alone: maille run with --without' "$tmp/said" ||
    fail "expected how to go on: $(cat "$tmp/said")"
[ $(($(date +%s) - began)) -lt 12 ] || fail "expected an end at once, found it after $(($(date +%s) - began)) s"
("$maille" run "$tmp/good.yaml" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" \
    --dictionary examples/rotterdam/dictionary.yaml --wait >"$tmp/waits" 2>&1; echo $? >"$tmp/waited") &
waits=$!
wait_for 4 grep -q '3 cannot go on alone: waiting' "$tmp/waits"
sleep 6
[ ! -e "$tmp/waited" ] || fail "expected it to wait: $(cat "$tmp/waits")"
"$maille" sandbox restart --dir "$net" site-4 >/dev/null
wait $waits
says 0 '^0$' cat "$tmp/waited"
"$maille" sandbox kill --dir "$net" site-4 >/dev/null
sleep 6
says 0 '' ask "$tmp/good.yaml" --quiet --without site-4

# A coordinator that listens at another port than the directory says.
hub=$net/coordinator
was=$(cat "$hub/pid")
kill "$was"
gone() { ! kill -0 "$was" 2>/dev/null; }
wait_for 5 gone
sed -i 's|^endpoint: .*|endpoint: "tcp://127.0.0.1:*"|' "$hub/coordinator.yaml"
rm -f "$tmp/hub" # what one before has said counts no more
"$bin/maille-coordinator" serve --dir "$hub" --network "$net/network.yaml" --credential "$net/credential" 2>"$tmp/hub" &
hub_pid=$!
wait_for 5 grep -q 'and the directory tells everybody to dial tcp://127.0.0.1:' "$tmp/hub"
kill $hub_pid
wait $hub_pid || true
# One that is to bind a name.
sed -i 's|^endpoint: .*|endpoint: "tcp://localhost:*"|' "$hub/coordinator.yaml"
rm -f "$tmp/hub"
"$bin/maille-coordinator" serve --dir "$hub" --network "$net/network.yaml" --credential "$net/credential" 2>"$tmp/hub" &
hub_pid=$!
wait_for 5 grep -q 'listens at tcp://\(127.0.0.1\|\[::1\]\):' "$tmp/hub"
kill $hub_pid
wait $hub_pid || true

# A name server that is replaced: in a mount namespace of its own, where this user may have one.
if unshare -m true 2>/dev/null; then
    cp -a /etc "$tmp/etc"
    cat >"$tmp/replaced.sh" <<'SH'
mount --bind "$1/etc" /etc
"$2/maille-worker" serve --dir "$1/net/sites/site-1" --credential "$1/net/credential" 2>"$1/replaced" &
until grep -q 'serves the network' "$1/replaced"; do sleep 0.1; done
echo 'nameserver 192.0.2.1' >/etc/resolv.conf.new
mv /etc/resolv.conf.new /etc/resolv.conf
sleep 1
kill $!
wait $!
SH
    "$maille" sandbox kill --dir "$net" site-1 >/dev/null
    unshare -m sh "$tmp/replaced.sh" "$tmp" "$bin"
    says 0 '/etc/resolv.conf was replaced: hosts are looked up as it was' cat "$tmp/replaced"
    rm -rf "$tmp/etc"
fi

# What opens a key is not beside it; where it is, both programs say so.
cp "$net/credential" "$hub/credential"
rm -f "$tmp/hub"
"$bin/maille-coordinator" serve --dir "$hub" --network "$net/network.yaml" --credential "$hub/credential" 2>"$tmp/hub" &
hub_pid=$!
wait_for 5 grep -q 'stands in the folder of the key that it opens' "$tmp/hub"
kill $hub_pid
wait $hub_pid
says 0 'stands in the folder of the key' "$bin/maille-worker" init --dir "$tmp/beside" --name beside --credential "$tmp/beside/credential"
mkdir "$tmp/given"
cp "$net/credential" "$tmp/given/maille"
chmod 440 "$tmp/given/maille" # as an access list shows
rm "$hub/credential"
rm -f "$tmp/hub"
CREDENTIALS_DIRECTORY="$tmp/given" "$bin/maille-coordinator" serve --dir "$hub" --network "$net/network.yaml" 2>"$tmp/hub" &
hub_pid=$!
wait_for 5 grep -q 'listens at' "$tmp/hub"
kill $hub_pid
wait $hub_pid
done_well
