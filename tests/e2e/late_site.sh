# Goal: a site that is stuck for too long in round 1 ends the run, which goes on without it where the researcher says so; one that comes just when it is given
# up is in after all, and nobody waits for ever.
. tests/e2e/lib.sh
up
study late 'grid: day' 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size + chemo" }'
ask "$tmp/late.yaml"
cp "$tmp/result.json" "$tmp/whole.json"

pids=
for line in $(grep -l -- "$net/sites/site[-]3" /proc/[0-9]*/cmdline 2>/dev/null); do
    pids="$pids $(basename "$(dirname "$line")")"
done
# site_3 SIGNAL: to all of its processes.
site_3() {
    kill -s "$1" $pids
}
logged() {
    tail -n +$((before + 1)) "$log" | grep -q "$1"
}
# begin: a run in the background, whose site-3 is stuck from the roster on. Where the machine is quicker than the signal it is tried again.
begin() {
    log=$net/coordinator/program.log
    for try in 1 2 3 4 5 6 7 8 9 10; do
        before=$(wc -l <"$log")
        rm -f "$tmp/result.json"
        "$maille" run "$tmp/late.yaml" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" \
            --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 &
        agent=$!
        until logged 'roster of 6'; do :; done
        site_3 STOP
        sleep 2
        logged 'round 1 closed' || return 0
        site_3 CONT
        wait $agent || { cat "$tmp/run.out"; fail "an ordinary run, try $try"; }
    done
    fail "the machine was quicker than the signal, ten times"
}
finish() {
    wait $agent || { site_3 CONT; cat "$tmp/run.out"; fail "$1"; }
}

begin
status=0
wait $agent || status=$?
[ $status = 3 ] && grep -q 'found site-3 silent' "$tmp/run.out" || { site_3 CONT; cat "$tmp/run.out"; fail "expected exit status 3 and site-3's name"; }
id=$(sed -n 's/.*`maille resume \([0-9a-f]*\)`.*/\1/p' "$tmp/run.out")
says 0 'left out: site-3' "$maille" resume "$id" --without site-3 --network "$net/network.yaml" --key "$net/researcher.key" \
    --credential "$net/credential" --json "$tmp/result.json" --timeout 60s
site_3 CONT
json 'r["sites"] == 5'

# The agent sleeps over the moment at which site-3 comes back, wakes when it is too late for it, and then hears that it is not.
begin
wait_for 30 logged 'round 1 attempt 1'
kill -s STOP $agent
sleep 6
site_3 CONT
wait_for 30 logged 'round 1 closed'
kill -s CONT $agent
finish "a site that came back while it was given up"
json 'r["sites"] == 6 and r["analyses"] == json.load(open("'"$tmp"'/whole.json"))["analyses"]'
done_well
