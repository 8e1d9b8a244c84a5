# Goal: a site that is stuck for too long in round 1 is left out; one that comes just when it is given up is in after all, and nobody waits for ever.
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
# begin: a run in the background, whose site-3 is stuck from the roster on.
begin() {
    log=$net/coordinator/program.log
    before=$(wc -l <"$log")
    rm -f "$tmp/result.json"
    "$maille" run "$tmp/late.yaml" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" \
        --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 &
    agent=$!
    until tail -n +$((before + 1)) "$log" | grep -q 'roster of 6'; do :; done
    site_3 STOP
    ! tail -n +$((before + 1)) "$log" | grep -q 'round 1 closed' || { site_3 CONT; fail "the machine was quicker than the signal"; }
}
finish() {
    wait $agent || { site_3 CONT; cat "$tmp/run.out"; fail "$1"; }
}

begin
finish "a site that is stuck in round 1"
site_3 CONT
grep -q 'left out: site-3' "$tmp/run.out" || fail "nobody says that site-3 was left out"
json 'r["sites"] == 5'

# The agent sleeps over the moment at which site-3 comes back, wakes when it is too late for it, and then hears that it is not.
logged() {
    tail -n +$((before + 1)) "$log" | grep -q "$1"
}
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
