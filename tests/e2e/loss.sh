# Goal: what a backup, a copied folder or a lost file makes of a site is noticed, said with what to do, and mended by the authority's
# signature alone.
. tests/e2e/lib.sh
up --sites 4
one=$net/sites/site-1
study first 'sites: all' 'analyses:' '  - { id: age, method: describe, variables: [age] }'
study second 'sites: all' 'analyses:' '  - { id: n, method: count }'
stop() { kill "$(cat "$one/pid")" && wait_for 5 grep -q stopped "$one/program.log"; : >"$one/program.log"; }
start() { "$maille" sandbox restart --dir "$net" site-1 >/dev/null; }
accept() {
    says 0 'may begin a log' "$maille" network lost --network "$net/network.yaml" site-1
    says 0 '1 of 1 signatures' "$maille" network sign --network "$net/network.yaml" --key "$net/authority.key" --credential "$net/credential"
    kill -HUP "$(cat "$net/coordinator/pid")"
}
says 0 '' ask "$tmp/first.yaml" --quiet

# A backup of this moment is restored after another study was answered.
stop
cp -a "$one" "$tmp/backup"
start
says 0 '' ask "$tmp/second.yaml" --quiet
stop
rm -rf "$one"
cp -a "$tmp/backup" "$one"
start
wait_for 10 grep -q 'this site was set back: the coordinator has seen' "$one/program.log"
says 1 'set_back' ask "$tmp/second.yaml"
says 0 'set back' "$maille" audit show --network "$net/network.yaml" "$one/log"
accept
wait_for 15 grep -q 'lost: 1' "$one/network.yaml"
wait_for 15 ask "$tmp/second.yaml" --quiet
json 'a["n"]["status"] == "ok" and r["sites"] == 4'
says 0 'the authorities accept that this site lost' "$maille" audit show --network "$net/network.yaml" "$one/log"

# Its log now, and that of before, against what the coordinator saw of each.
verify() { "$maille" audit verify --network "$net/network.yaml" --witness "$net/coordinator/log" "$@"; }
says 0 'of the log before it was lost, which the network.s authorities accepted' verify "$one/log"
says 0 'agrees with' verify "$one/log"
says 1 'NOT SOUND' verify "$tmp/backup/log" # its own heads of before are still held against it

# A ledger that is gone beside a log of answers: not made anew in silence.
stop
rm "$one/state/ledger"*
says 2 'expected .*ledger beside a log of studies that were answered, found none.*maille network lost site-1' \
    "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
[ ! -e "$one/state/ledger" ] || fail "a ledger was made in silence"
accept
cp "$net/network.yaml" "$one/network.yaml"
start
wait_for 15 ask "$tmp/second.yaml" --quiet
json 'a["n"]["status"] == "ok" and r["sites"] == 4'
[ -e "$one/state/ledger" ] || fail "expected a ledger"

# A second copy of the folder, with its program running: both are told, and the coordinator says so.
cp -a "$one" "$tmp/copy"
"$bin/maille-worker" serve --dir "$tmp/copy" --credential "$net/credential" 2>"$tmp/copy.log" &
strays=$!
wait_for 20 grep -q 'two copies of the site site-1 run at once' "$net/coordinator/program.log"
wait_for 10 grep -q 'a second copy of this site runs' "$one/program.log"
wait_for 10 grep -q 'a second copy of this site runs' "$tmp/copy.log"
kill $strays
wait $strays || true
strays=

# Other keys under the old name: a new folder, one signature.
stop
mv "$one" "$tmp/old"
token=$("$maille" network invite --network "$net/network.yaml" site-1 2>/dev/null)
says 0 'invitation:' "$bin/maille-worker" init --dir "$one" --name site-1 --credential "$net/credential" --token "$token"
says 0 'snapshot 1' "$bin/maille-worker" import --dir "$one" --dictionary examples/rotterdam/dictionary.yaml --data "$tmp/old/data.csv" \
    --public --credential "$net/credential"
cp "$tmp/old/policy.yaml" "$one/"
says 0 'site site-1 has other keys' "$maille" network rekey --network "$net/network.yaml" "$one/site.pub"
says 0 '1 of 1 signatures' "$maille" network sign --network "$net/network.yaml" --key "$net/authority.key" --credential "$net/credential"
kill -HUP "$(cat "$net/coordinator/pid")"
cp "$net/network.yaml" "$one/"
"$bin/maille-worker" serve --dir "$one" --credential "$net/credential" 2>"$one/program.log" &
strays=$!
echo $strays >"$one/pid"
wait_for 20 ask "$tmp/second.yaml" --quiet
json 'a["n"]["status"] == "ok" and r["sites"] == 4'
kill $strays
wait $strays || true
strays=
done_well
