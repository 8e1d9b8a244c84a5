# Goal: other programs can run maille and understand it: events, findings, versions, exit statuses (docs/CLI.md).
. tests/e2e/lib.sh
up

# lines FILE EXPRESSION: of the JSON lines e of a file, this must be true; every line must be JSON.
lines() {
    python3 -c '
import json, sys
e = [json.loads(line) for line in open(sys.argv[1])]
sys.exit(0 if eval(sys.argv[2]) else 1)' "$tmp/$1" "$2" || { cat "$tmp/$1" >&2; fail "expected $2"; }
    checks=$((checks + 1))
}

study fine 'analyses:' '  - { id: n, method: count }' '  - { id: empty, method: describe, variables: [age], cohort: age > 119 }'
status=0
ask "$tmp/fine.yaml" --progress json --quiet 2>"$tmp/events" >"$tmp/out" || status=$?
[ "$status" = 1 ] || fail "expected exit status 1 of an analysis that failed, found $status"
[ -s "$tmp/out" ] && fail "expected nothing on standard output"
lines events 'e[0]["event"] == "asked" and len(e[0]["query"]) == 64 and e[0]["study"] == "fine"'
lines events 'e[-1]["event"] == "ended" and e[-1]["exit"] == 1 and e[-1]["query"] == e[0]["query"]'
lines events '[(a["id"], a["status"]) for a in e[-1]["analyses"]][0] == ("n", "ok") and e[-1]["analyses"][1]["status"] != "ok"'
lines events '{x["event"] for x in e} <= {"asked", "waiting", "heads", "round", "note", "ended"}'

# A site that is down: who is waited for; the error is an event, and the query can be taken up.
"$maille" sandbox kill --dir "$net" site-2 >/dev/null
for site in site-1 site-3 site-4; do "$maille" sandbox kill --dir "$net" $site >/dev/null; done
status=0
ask "$tmp/fine.yaml" --progress json --timeout 1s 2>"$tmp/late" || status=$?
[ "$status" = 3 ] || fail "expected exit status 3 of a query that waits too long, found $status"
lines late 'any(x["event"] == "waiting" and {"party": "site-2", "officer": False} in x["for"] for x in e)'
lines late 'e[-1]["event"] == "error" and e[-1]["exit"] == 3 and e[-1]["code"] == "timed out" and e[-1]["query"] == e[0]["query"]'
lines late '"maille resume" in e[-1]["sentence"]'

# Before anything is asked.
status=0
ask "$tmp/nothing.yaml" --progress json 2>"$tmp/early" || status=$?
[ "$status" = 2 ] || fail "expected exit status 2, found $status"
lines early 'len(e) == 1 and e[0]["event"] == "error" and e[0]["query"] is None and e[0]["exit"] == 2'
says 2 'expected --progress json' ask "$tmp/fine.yaml" --progress xml

for program in maille maille-worker maille-coordinator; do
    "$bin/$program" --version --json >"$tmp/version"
    lines version "e[0]['program'] == '$program' and e[0]['interface'] == 1 and '.' in e[0]['version']"
done
says 2 'study, dictionary or methods' "$maille" schema policies
done_well
