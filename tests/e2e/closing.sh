# Goal: a question that is too near to a published cohort is refused and is offered that one in words; near to another, it is offered nothing by the sites, and her own program names her own earlier one. What is
# refused or hidden under few counts against the registration, once; at the policy's limit every site closes it, says why in its log, keeps it
# closed across a restart, and opens it again when the authority has signed so.
. tests/e2e/lib.sh
network=$net/network.yaml
in_force() { # WORDS: the change that was made is signed, and every site has it
    says 0 '1 of 1 signatures' "$maille" network sign --network "$network" --key "$net/authority.key" --credential "$net/credential"
    kill -HUP "$(cat "$net/coordinator/pid")"
    for site in "$net"/sites/*; do
        wait_for 20 grep -q "$1" "$site/network.yaml"
    done
}
here() { # all sites answer
    wait_for 20 "$maille" catalogue --network "$network" --key "$net/researcher.key" --credential "$net/credential"
}
near() { # NAME COHORT OFFER EARLIER: refused, what is offered instead, and which of her own she was answered (-: nothing)
    study "$1" "cohort: $2" 'analyses:' '  - { id: x, method: count, by: [grade] }'
    says 1 '' ask "$tmp/$1.yaml"
    json "a['x']['rule'] == 'few' and a['x'].get('offer', '-') == '$3' and a['x'].get('earlier', {}).get('cohort', '-') == '$4' and not any(c.isdigit() for c in a['x']['reason'])"
}

printf 'policy: standard\napproval: auto\nfine_predicates: allow\nbudget: { registration_tables: 8, registration_few: 5 }\n' >"$tmp/policy.yaml"
up --sites 5 --policy "$tmp/policy.yaml"
sed 's/^researchers:.*/researchers: [researcher]/; s/^budget:.*//' examples/rotterdam/registration.yaml >"$tmp/registration.yaml"
says 0 'elderly is published' "$maille" network cohort --network "$network" --dictionary examples/rotterdam/dictionary.yaml elderly 'age >= 65'
says 2 'expected' "$maille" network cohort --network "$network" --dictionary examples/rotterdam/dictionary.yaml wrong 'heght >= 65'
says 0 'from now on sites refuse' "$maille" network register --network "$network" "$tmp/registration.yaml"
in_force 'expression: "age >= 65"'
says 0 'elderly' "$maille" network show --network "$network"
here

# Nobody has asked anything: everybody and the elderly count as shown, and stay answerable.
near widest 'age <= 88' everybody -
near narrow 'age >= 65 && age <= 88' 'age >= 65' -
study elderly 'cohort: age >= 65' 'analyses:' '  - { id: x, method: count, by: [grade] }'
says 0 '' ask "$tmp/elderly.yaml"
json 'a["x"]["status"] == "ok"'
study everybody 'analyses:' '  - { id: x, method: count, by: [grade] }'
says 0 '' ask "$tmp/everybody.yaml"
# Which of one's own is near the sites do not say; that one is near by its words says one's own program.
study young 'cohort: age < 50' 'analyses:' '  - { id: x, method: count, by: [grade] }'
says 0 '' ask "$tmp/young.yaml"
near younger 'age < 50 && age > 26' - 'age < 50'

# What was refused or answered costs nothing again, in whatever study: neither of what closes nor of the budget.
for again in widest narrow younger; do
    sed "s/^study:.*/study: $again-again/" "$tmp/$again.yaml" >"$tmp/again.yaml"
    says 1 '' ask "$tmp/again.yaml"
    json 'a["x"]["rule"] == "few"'
done
sed 's/^study:.*/study: once-more/' "$tmp/young.yaml" >"$tmp/again.yaml"
says 0 '' ask "$tmp/again.yaml"
json 'a["x"]["status"] == "ok"'

# Counted are widest, narrow and younger; that nobody of young lacks a grade is hidden and does not count. The fifth closes it: that study is told nothing, and no other is asked any more.
study fourth 'cohort: age <= 87' 'analyses:' '  - { id: x, method: count, by: [grade] }' '  - { id: y, method: count, by: [grade], cohort: "age >= 65" }'
says 1 'protocol' ask "$tmp/fourth.yaml"
[ ! -s "$tmp/result.json" ] || json 'all(x["status"] != "ok" and x.get("rule") != "few" for x in r["analyses"])'
says 1 'protocol\|is closed' ask "$tmp/young.yaml"
for site in "$net"/sites/*; do
    says 0 'HDH-0000 is closed' "$maille" audit show --network "$network" "$site/log"
    grep -q 'HDH-0000 is closed' "$site/program.log" || fail "expected $site to warn its operator"
done

# A restart opens nothing, and neither does who carries the messages: the directory alone says so, signed.
for site in "$net"/sites/*; do
    "$maille" sandbox kill --dir "$net" "$(basename "$site")" >/dev/null
    "$maille" sandbox restart --dir "$net" "$(basename "$site")" >/dev/null
done
here
says 1 'protocol\|is closed' ask "$tmp/young.yaml"

says 0 'HDH-0000 is open again' "$maille" network register --network "$network" --reopen HDH-0000
in_force 'openings: 1'
here
says 0 '' ask "$tmp/young.yaml"
json 'a["x"]["status"] == "ok"'
says 1 '' ask "$tmp/fourth.yaml" # refused once is refused for nothing
json 'a["x"]["rule"] == "few" and a["x"]["offer"] == "everybody"'
done_well
