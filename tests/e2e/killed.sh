# Goal: the vault is killed again and again while studies run, wherever it happens to be: the log of the site stays whole, and the study is
# answered in the end. MAILLE_KILLS=3000 for a night.
. tests/e2e/lib.sh
kills=${MAILLE_KILLS:-10}
up
study small 'analyses:' '  - { id: d, method: describe, variables: [age] }' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age" }'
vault_of() {
    for process in /proc/[0-9]*; do
        [ "$(cat "$process/comm" 2>/dev/null)" = maille-vault ] || continue
        [ "$(readlink "$process/fd/"* 2>/dev/null | grep -c "$net/sites/$1/log")" -gt 0 ] || continue
        echo "${process#/proc/}"
        return
    done
}
sed -i 's/^# restart_after: .*/restart_after: 50ms/' "$net/sites/site-2/worker.yaml"
"$maille" sandbox restart --dir "$net" site-2 >/dev/null
(
    trap - EXIT
    while [ ! -e "$tmp/enough" ]; do
        "$maille" sandbox run --dir "$net" "$tmp/small.yaml" --timeout 10 >/dev/null 2>&1 || true
    done
) &
asking=$!
done_kills=0
while [ "$done_kills" -lt "$kills" ]; do
    victim=$(vault_of site-2)
    [ -n "$victim" ] || continue
    sleep "0.$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
    kill -9 "$victim" 2>/dev/null && done_kills=$((done_kills + 1))
    [ $((done_kills % 4)) -gt 0 ] || { # what the supervisor waits doubles with every death
        "$maille" sandbox restart --dir "$net" site-2 >/dev/null
    }
done
touch "$tmp/enough"
wait "$asking" || true
"$maille" sandbox restart --dir "$net" site-2 >/dev/null
wait_for 30 ask "$tmp/small.yaml"
json 'r["sites"] >= 5 and a["d"]["status"] == "ok"'
"$maille" sandbox down --dir "$net" >/dev/null
says 0 'sound' "$maille" audit verify "$net"/sites/*/log "$net/coordinator/log" --network "$net/network.yaml"
[ "$(grep -c sound: "$tmp/said")" = 7 ] || fail "expected seven sound logs"
! grep -q 'split view' "$net"/sites/*/program.log "$net/coordinator/program.log" || fail "an honest log was taken for another"
! "$maille" audit show --network "$net/network.yaml" "$net"/sites/*/log "$net/coordinator/log" --messages | grep -q 'split view' || fail "an honest log was taken for another"
done_well
