# Goal: a script that asks one short question after the other for a minute is no flood: whoever has a key is let in more often than that.
. tests/e2e/lib.sh
up --sites 3
hub=$net/coordinator/program.log
end=$(($(date +%s) + ${MAILLE_SECONDS:-8}))
n=0
while [ "$(date +%s)" -lt "$end" ] || [ $n -lt 80 ]; do # 80 on a slow machine too
    for _ in 1 2 3 4 5 6 7 8; do
        "$maille" list --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" >"$tmp/said.$_" 2>&1 || echo "$?" >>"$tmp/failed" &
    done
    wait
    n=$((n + 8))
done
[ ! -e "$tmp/failed" ] || fail "of $n calls some failed: $(cat "$tmp"/said.*)"
! grep -q 'did not let\|hung up' "$hub" || fail "expected nobody to be hung up on: $(grep 'did not let\|hung up' "$hub" | head -n 3)"
checks=$((checks + n))
done_well
