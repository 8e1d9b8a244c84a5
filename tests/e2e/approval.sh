# Goal: a study that a site holds waits until its officer decides, across restarts; what she approved is what leaves; another snapshot or
# policy asks again; her "no" is a rule and nothing else; nobody else's signature counts.
. tests/e2e/lib.sh
worker=$bin/maille-worker
site=$net/sites/site-2
credential=$net/credential

hold() { # SITE: models wait there
    printf 'policy: open\napproval: { default: auto, methods: { cox: hold } }\n' >"$net/sites/$1/policy.yaml"
    "$maille" sandbox kill --dir "$net" "$1" >/dev/null
    "$maille" sandbox restart --dir "$net" "$1" >/dev/null
}
again() { # SITE: stopped at once, started again
    "$maille" sandbox kill --dir "$net" "$1" >/dev/null
    "$maille" sandbox restart --dir "$net" "$1" >/dev/null
}
asked() { # STUDY: prints the query's id once the question is with the coordinator
    "$maille" run "$1" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$credential" \
        --dictionary examples/rotterdam/dictionary.yaml --detach 2>/dev/null
}
resume() {
    rm -f "$tmp/result.json"
    "$maille" resume "$@" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$credential" --json "$tmp/result.json"
}
waits() { # SITE ID: until the study is in the queue
    for _ in $(seq 100); do
        "$worker" pending "$2" --dir "$net/sites/$1" >"$tmp/pending.out" 2>/dev/null && return 0
        sleep 0.1
    done
    fail "nothing waits at $1"
}
decide() { # approve|deny ID [SITE]
    "$worker" "$1" "$2" --dir "$net/sites/${3:-site-2}" --credential "$credential" --reason "read and understood"
}

up
hold site-2
study held 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size" }' \
    '  - { id: n, method: count, variables: [size] }'

# Approved after both ends have been killed, with the coordinator in between.
id=$(asked "$tmp/held.yaml")
waits site-2 "$id"
grep -q 'researcher: researcher' "$tmp/pending.out" && grep -q 'purpose: research-public-interest' "$tmp/pending.out" &&
    grep -q 'sums of' "$tmp/pending.out" && grep -q 'Surv(dtime, death) ~ age + size' "$tmp/pending.out" || fail "the question is not told"
says 0 'rotterdam\|held' "$worker" pending --dir "$site"
# What check, pending and preview say of the first round is what the log says left: the same words, one writer.
told() { sed -n 's/^ *\(.*\): [0-9]* \(whole \)\{0,1\}numbers\{0,1\}$/\1/p' "$1" | sort; }
told "$tmp/pending.out" >"$tmp/pending.told"
grep -q '^rows where !complete(dtime, death, age, size)$' "$tmp/pending.told" && grep -q '^rows where complete(dtime, death, age, size)$' "$tmp/pending.told" ||
    fail "expected who is counted, found: $(cat "$tmp/pending.told")"
"$maille" check "$tmp/held.yaml" --dictionary examples/rotterdam/dictionary.yaml >"$tmp/check.out"
"$worker" preview "$id" --dir "$site" >"$tmp/preview.out"
told "$tmp/check.out" | cmp - "$tmp/pending.told" || fail "check and pending say it in two ways"
told "$tmp/preview.out" | cmp - "$tmp/pending.told" || fail "preview and pending say it in two ways"
says 3 'site-2' resume "$id" --timeout 2s
again site-2
"$maille" sandbox kill --dir "$net" coordinator >/dev/null && "$maille" sandbox restart --dir "$net" coordinator >/dev/null
says 0 'approved' decide approve "$id"
says 0 '' resume "$id" --timeout 60s
json 'a["cox"]["status"] == "ok" and a["n"]["status"] == "ok" and r["sites"] == 6'
says 0 'decided by  *site-2-dpo' "$maille" audit show --network "$net/network.yaml" "$site/log" --query "$id" --lang en
for words in 'what became of it  *answered$' 'her reason  *read and understood' 'judged: held for a person' 'approved by site-2-dpo: read and understood'; do
    grep -q "$words" "$tmp/said" || fail "expected \"$words\" of an approved study: $(cat "$tmp/said")"
done
"$maille" audit show --network "$net/network.yaml" "$site/log" --json | tr '{' '\n' | sed -n 's/.*"analysis": "\(cox\|n\)".*"what": "\([^"]*\)".*/\2/p' | sort -u >"$tmp/log.told"
sort -u "$tmp/pending.told" | comm -23 - "$tmp/log.told" >"$tmp/missing.told"
[ -s "$tmp/pending.told" ] && [ ! -s "$tmp/missing.told" ] || fail "expected what was approved in the log, word for word: $(cat "$tmp/missing.told" "$tmp/log.told")"
"$maille" audit show --network "$net/network.yaml" "$site/log" --messages | grep -q 'read and understood' || fail "the officer's reason is not in the log"

# A study that differs in one condition from what was answered: the screen names that, and the word of the group of before.
study nearer 'analyses:' '  - { id: cox, method: cox, cohort: "age >= 30", formula: "Surv(dtime, death) ~ age + size" }'
id=$(asked "$tmp/nearer.yaml")
waits site-2 "$id"
grep -q '^        ".*age >= 30.*" is near ".*" of study held (researcher, 20..-..-..)$' "$tmp/pending.out" || fail "what is near is not told: $(cat "$tmp/pending.out")"
says 0 '^    proche par les mots, vu de ce site' "$worker" pending "$id" --dir "$site" --lang fr
says 0 '"near": \["\\"' "$worker" pending "$id" --dir "$site" --json
says 0 '' "$maille" cancel --network "$net/network.yaml" --key "$net/researcher.key" --credential "$credential" "$id"

# What was shown is what an approval is about: another snapshot or policy asks again, and the old signature is of no use.
id=$(asked "$tmp/held.yaml")
waits site-2 "$id"
before=$(cat "$tmp/pending.out")
"$worker" import --dir "$site" --dictionary examples/rotterdam/dictionary.yaml --data "$site/data.csv" --public --credential "$credential" >/dev/null
for _ in $(seq 100); do
    "$worker" pending "$id" --dir "$site" >"$tmp/pending.out" 2>/dev/null
    grep -q '^snapshot: 2 ' "$tmp/pending.out" && break
    sleep 0.1
done
grep -q '^snapshot: 2 ' "$tmp/pending.out" || fail "a new snapshot did not ask again"
[ "$before" != "$(cat "$tmp/pending.out")" ] || fail "the question is the same after a new snapshot"

# Another site's officer, and an altered signature, decide nothing.
cp "$net/sites/site-3/dpo.key" "$tmp/other.key" && chmod 600 "$tmp/other.key"
says 0 '' "$worker" approve "$id" --dir "$site" --key "$tmp/other.key" --credential "$credential"
sleep 2
says 0 "held" "$worker" pending --dir "$site"
grep -q 'expected the signature of this site' "$site/program.log" || fail "a stranger's signature was not told"
says 2 'role dpo' "$worker" approve "$id" --dir "$site" --key "$site/site.key" --credential "$credential"
says 2 'begins with' "$worker" approve ffffffff --dir "$site" --credential "$credential"

# No: the researcher hears the rule and nothing else.
says 0 'denied' decide deny "$id"
says 1 '' resume "$id" --timeout 60s
json 'a["cox"]["status"] == "refused" and a["cox"]["rule"] == "approval" and a["n"]["rule"] == "approval"'
json 'not any(c.isdigit() for c in a["cox"]["reason"])'

# The register says so: denied, by whom and why, and nothing left; nowhere that it was accepted or approved.
says 0 "^....-..-.. ..:..  $(echo "$id" | cut -c 1-8)  .* denied by a person (approval) .* 0\$" "$maille" audit show --network "$net/network.yaml" "$site/log" --lang en
says 0 'denied by site-2-dpo: read and understood' "$maille" audit show --network "$net/network.yaml" "$site/log" --query "$id" --lang en
! grep -q 'became of it .*approved\|accepted\|approved by' "$tmp/said" || fail "a denied study reads as if it had been approved: $(cat "$tmp/said")"
says 0 'what was asked or approved is void: the snapshot' "$maille" audit show --network "$net/network.yaml" "$site/log" --query "$id" --lang en

# The researcher goes on without a site that has not decided.
id=$(asked "$tmp/held.yaml")
waits site-2 "$id"
says 0 '' resume "$id" --without-held --timeout 60s
json 'a["cox"]["status"] == "ok" and r["sites"] == 5'

# What has ended waits for nobody.
id=$(asked "$tmp/held.yaml")
waits site-2 "$id"
says 0 '' "$maille" cancel --network "$net/network.yaml" --key "$net/researcher.key" --credential "$credential" "$id"
for _ in $(seq 50); do
    [ "$(ls "$site/spool" | wc -l)" != 0 ] || break
    sleep 0.1
done
[ "$(ls "$site/spool" | wc -l)" = 0 ] || fail "expected an empty spool, found $(ls "$site/spool")"

# A study that nobody holds is not asked about.
study free 'analyses:' '  - { id: n, method: count, variables: [size] }'
says 0 '' ask "$tmp/free.yaml"
json 'a["n"]["status"] == "ok"'

# What would leave, in clear, for the site alone.
says 0 'size = <=20: ' "$worker" preview "$tmp/free.yaml" --dir "$site"
says 0 'nothing is sent' "$worker" preview "$tmp/held.yaml" --dir "$site"
done_well
