# Goal: sites and a researcher to whom every message takes 300 ms each way, and whose connections are cut every few seconds, so that what is on
# its way is lost, get the answer of a fast network, bit for bit.
. tests/e2e/lib.sh
study one 'sites: all' 'analyses:' '  - { id: age, method: describe, variables: [age] }'
# MAILLE_FAR=circle: five sites that open their sums together; more rounds, a minute and a half.
n=3 policy=open
[ "${MAILLE_FAR:-}" != circle ] || n=5 policy=standard
up --sites $n --policy $policy
ask "$tmp/one.yaml" --quiet >/dev/null || fail "expected an answer of a fast network"
cp "$tmp/result.json" "$tmp/fast.json"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 tests/e2e/proxies.py far "$port" 300 5 >"$tmp/cuts" 2>&1 &
strays="$strays $!"
wait_for 10 grep -q listens "$tmp/cuts"
for i in $(seq $n); do
    site=site-$i
    printf 'proxy: http://127.0.0.1:%s\n' "$port" >>"$net/sites/$site/worker.yaml"
    "$maille" sandbox restart --dir "$net" "$site" >/dev/null
done
rm "$tmp/result.json"
MAILLE_PROXY="http://127.0.0.1:$port" "$maille" run "$tmp/one.yaml" --network "$net/network.yaml" --key "$net/researcher.key" \
    --credential "$net/credential" --json "$tmp/result.json" --wait --quiet >/dev/null || fail "expected an answer from far away"
python3 - "$tmp/fast.json" "$tmp/result.json" <<'WORDS' || fail "expected the answer of a fast network, bit for bit"
import json, sys
one, two = (json.load(open(name))["analyses"] for name in sys.argv[1:])
sys.exit(one != two)
WORDS
[ "$(grep -c cut "$tmp/cuts")" -gt 0 ] || fail "expected that connections were cut"
done_well
