# Goal: the keys of a site and of the coordinator are exchanged, and what the site's folder holds moves along: snapshots, numbers of
# rows, objections, ledger, what it has seen of its network. What a crash leaves is finished by the same command.
. tests/e2e/lib.sh
worker=$bin/maille-worker
one=$net/sites/site-1
new=$tmp/new-credential
study first 'sites: all' 'analyses:' '  - { id: age, method: describe, variables: [age] }'
study held 'sites: all' 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age" }'
study again 'sites: all' 'analyses:' '  - { id: n, method: count }'
sign() {
    says 0 '1 of 1 signatures' "$maille" network sign --network "$net/network.yaml" --key "$net/authority.key" --credential "$net/credential"
}
rekey() { "$worker" rekey --dir "$one" --credential "$net/credential" --new-credential "$new" "$@"; }
import() {
    "$worker" import --dir "$one" --dictionary examples/rotterdam/dictionary.yaml --data "$one/data.csv" --public --yes "$@"
}
ids() { # SNAPSHOT: its row numbers
    /usr/bin/python3 -c 'import h5py, sys; print(sorted(h5py.File(sys.argv[1])["row_id"][:]))' "$one/snapshots/$1"
}
serve() { # with the new credential: the sandbox knows the old one
    "$worker" serve --dir "$one" --credential "$new" 2>"$one/program.log" &
    echo $! >"$one/pid"
}

printf 'policy: open\napproval: { default: auto, methods: { cox: hold } }\n' >"$tmp/policy.yaml"
up --sites 4 --policy "$tmp/policy.yaml"
says 0 '' ask "$tmp/first.yaml" --quiet
printf 'pseudonym,date,purposes\n%s,2026-01-01,all\n' "$(sed -n '2s/,.*//p' "$one/data.csv")" >"$tmp/objections.csv"
import --credential "$net/credential" --objections "$tmp/objections.csv" >"$tmp/import.out"
grep -q 'without 1 patient who objects' "$tmp/import.out" || fail "nobody objects: $(cat "$tmp/import.out")"
ids snapshot-0002.h5 >"$tmp/ids.before"

# A study waits for the officer when the keys are exchanged.
id=$("$maille" run "$tmp/held.yaml" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" \
    --dictionary examples/rotterdam/dictionary.yaml --detach 2>/dev/null)
wait_for 15 test -e "$one/spool/$id.pending"
"$maille" resume "$id" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" >"$tmp/waits.out" 2>&1 &
strays=$!

# First step: new keys beside those in use, and the site goes on.
says 2 'found no .*next/site.key' rekey --finish
token=$("$maille" network invite --network "$net/network.yaml" site-1 2>/dev/null)
says 0 'invitation:' rekey --token "$token"
says 2 'expected no rotation that was begun' rekey
says 2 'expected the new keys of site-1 in network.yaml, found others' rekey --finish
says 0 'site site-1 has other keys' "$maille" network rekey --network "$net/network.yaml" "$one/next/site.pub"
sign
kill -HUP "$(cat "$net/coordinator/pid")"
cp "$net/network.yaml" "$one/"
says 2 'expected' rekey --finish # a worker runs here
[ -e "$one/next/site.key" ] && [ -e "$one/spool/$id.pending" ] || fail "something changed while the worker runs"
kill "$(cat "$one/pid")"
wait_for 5 grep -q stopped "$one/program.log"
says 2 'maille-worker rekey --finish' "$worker" serve --dir "$one" --credential "$net/credential"

# Second step. The old folder is kept: crashes are made of it below.
cp -a "$one" "$tmp/old"
says 0 '1 open study ended here' rekey --finish
grep -q 'the log before is kept in .*log-before-' "$tmp/said" || fail "where is the log of before?"
[ ! -e "$one/next" ] && [ ! -e "$one/spool/$id.pending" ] || fail "something was left behind"
cmp "$tmp/old/state/ledger" "$one/state/ledger" || fail "the ledger did not move along"
cp -a "$one" "$tmp/moved"
serve
status=0
wait $strays || status=$?
strays=
[ $status = 1 ] && grep -q 'revoked' "$tmp/waits.out" || fail "expected the study to end, found status $status: $(cat "$tmp/waits.out")"
wait_for 20 ask "$tmp/again.yaml" --quiet
json 'a["n"]["status"] == "ok" and r["sites"] == 4'

# Objections hold, and rows have the numbers that they had.
says 0 'in force' "$worker" objections --dir "$one" --credential "$new"
import --credential "$new" >"$tmp/import.out"
grep -q 'without 1 patient who objects' "$tmp/import.out" || fail "the objection did not move along: $(cat "$tmp/import.out")"
ids snapshot-0003.h5 | cmp - "$tmp/ids.before" || fail "rows have other numbers"

# The old log ended with a note and a seal; the new one is a witness of it.
says 0 'sound' "$maille" audit verify "$one"/log-before-* --network "$net/network.yaml" --witness "$one/log" \
    --identity "$(sed -n 's/^identity: //p' "$tmp/old/site.pub")"
grep -q 'agrees with 1 head' "$tmp/said" || fail "expected the head of the log before: $(cat "$tmp/said")"
says 0 'agrees with' "$maille" audit verify "$one/log" --network "$net/network.yaml" --witness "$net/coordinator/log"
says 0 'keys exchanged' "$maille" audit show --anyway "$one"/log-before-*
says 0 'keys of this site were exchanged; the log before is in log-before-' "$maille" audit show --network "$net/network.yaml" "$one/log"
kill "$(cat "$one/pid")"
wait_for 5 grep -q stopped "$one/program.log"

# Killed at the worst places: everything moved but the keys; the log away and the next not yet in its place.
mkdir "$tmp/moved/next"
cp -a "$tmp/moved/site.key" "$tmp/moved/next/site.key"
cp -a "$tmp/old/site.key" "$tmp/moved/site.key"
says 0 'has its new keys' "$worker" rekey --dir "$tmp/moved" --credential "$net/credential" --new-credential "$new" --finish
cmp "$tmp/moved/site.key" "$one/site.key" || fail "expected the new keys"
mkdir "$tmp/moved/next"
mv "$tmp/moved/site.key" "$tmp/moved/next/site.key"
cp -a "$tmp/old/site.key" "$tmp/moved/site.key"
mv "$tmp/moved/log" "$tmp/moved/log.next"
cp -a "$tmp/old/snapshots/." "$tmp/moved/snapshots/" # as before the first step: sealed under the old keys
rm -f "$tmp/moved/snapshots/rows.key"
says 0 'has its new keys' "$worker" rekey --dir "$tmp/moved" --credential "$net/credential" --new-credential "$new" --finish
[ -e "$tmp/moved/log/messages.log" ] && [ ! -e "$tmp/moved/log.next" ] || fail "the next log is not in its place"
says 0 'in force' "$worker" objections --dir "$tmp/moved" --credential "$new"

# The coordinator: a new folder, its card, and everybody has the new directory from the authority.
"$maille" sandbox kill --dir "$net" coordinator >/dev/null
port=$(sed -n 's/.*tcp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$net/network.yaml" | head -n 1)
says 0 '' "$bin/maille-coordinator" init --dir "$tmp/hub" --name coordinator --endpoint "tcp://127.0.0.1:$port" --credential "$tmp/hub-credential"
says 0 'coordinator coordinator has other keys' "$maille" network rekey --network "$net/network.yaml" "$tmp/hub/coordinator.pub"
sign
grep -q '^coordinator:.*lost: 1' "$net/network.yaml" || fail "the coordinator's log does not begin again"
cp "$net/network.yaml" "$tmp/hub/"
"$bin/maille-coordinator" serve --dir "$tmp/hub" --credential "$tmp/hub-credential" 2>"$tmp/hub/program.log" &
strays=$!
for site in 1 2 3 4; do
    cp "$net/network.yaml" "$net/sites/site-$site/"
    [ $site = 1 ] || { "$maille" sandbox kill --dir "$net" site-$site && "$maille" sandbox restart --dir "$net" site-$site; } >/dev/null
done
serve
wait_for 20 ask "$tmp/again.yaml" --quiet
json 'a["n"]["status"] == "ok" and r["sites"] == 4'
says 0 'a loss was accepted' "$maille" audit show --network "$net/network.yaml" "$tmp/hub/log"
says 0 'agrees with' "$maille" audit verify "$tmp/hub/log" --network "$net/network.yaml" --witness "$net/sites/site-2/log"
says 0 'receipts are by the coordinator.s keys of before' "$maille" audit verify "$net/sites/site-2/log" --network "$net/network.yaml"
kill "$(cat "$one/pid")"
wait "$(cat "$one/pid")" || true
done_well
