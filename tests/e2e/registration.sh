# Goal: once a network registers, a study within a registration is answered and one outside is not asked; a registration that is closed ends
# what runs under it. (That a site refuses what a program asks all the same: vault.real_registration.)
. tests/e2e/lib.sh
network=$net/network.yaml
registration() { # NAME LINE…: the example's for the sandbox's researcher, with these lines in the place of those of the same keys
    name=$1
    shift
    sed 's/^researchers:.*/researchers: [researcher]/' examples/rotterdam/registration.yaml >"$tmp/$name.reg.yaml"
    for line in "$@"; do
        sed -i "s/^${line%%:*}:.*/$line/" "$tmp/$name.reg.yaml"
    done
}
in_force() { # WORDS: the change that was made is signed, and every site has it
    says 0 '1 of 1 signatures' "$maille" network sign --network "$network" --key "$net/authority.key" --credential "$net/credential"
    kill -HUP "$(cat "$net/coordinator/pid")"
    for site in "$net"/sites/*; do
        wait_for 15 grep -q "^$1" "$site/network.yaml"
    done
}
register() { # the arguments of maille network register
    says 0 'has no signature yet' "$maille" network register --network "$network" "$@"
}
check() { "$maille" check "$@" --dictionary examples/rotterdam/dictionary.yaml --network "$network"; }

up --sites 4
study free 'analyses:' '  - { id: age, method: describe, variables: [age, er] }'
study outside 'analyses:' '  - { id: pgr, method: describe, variables: [pgr] }'
study typo 'analyses:' '  - { id: age, method: describe, variables: [age] }'
sed -i 's/^protocol:.*/protocol: HDH-000/' "$tmp/typo.yaml"
says 0 'registered any' "$maille" network show --network "$network"
says 0 '' ask "$tmp/typo.yaml" --quiet # a sandbox registers whatever a study names

registration first 'variables: [age, er, chemo, size, dtime, death]'
register "$tmp/first.reg.yaml"
in_force '    variables: \[age, er'
says 0 'within the registration HDH-0000: Chemotherapy' check "$tmp/free.yaml"
says 2 'expected the variables of the registration HDH-0000, found also pgr' check "$tmp/outside.yaml"
says 2 'did you mean "HDH-0000"?' check "$tmp/typo.yaml"
printf 'policy: strict\n' >"$tmp/strict.yaml"
says 0 'at most 1 of the 30 groups withheld for few patients' check "$tmp/free.yaml" --policy "$tmp/strict.yaml"
says 0 'studies.html' "$maille" audit public --network "$network" --out "$tmp/public" --lang fr
grep -q '<h2>Chemotherapy and survival' "$tmp/public/studies.html" && grep -q "comment s'opposer\|comment s&#39;opposer" "$tmp/public/studies.html" ||
    fail "expected the study and how to object: $(cat "$tmp/public/studies.html")"
says 0 '' ask "$tmp/free.yaml" --quiet
json 'a["age"]["status"] == "ok"'
says 1 'expected the variables of the registration HDH-0000, found also pgr' ask "$tmp/outside.yaml"
says 1 'did you mean "HDH-0000"?' ask "$tmp/typo.yaml"

# Closed while an officer is asked: it ends everywhere, and the book says why. Opened again, the same may be asked.
for site in "$net"/sites/*; do
    printf 'policy: open\napproval: { methods: { cox: hold } }\n' >"$site/policy.yaml"
    kill -HUP "$(cat "$site/pid")"
done
study model 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age" }'
id=$("$maille" run "$tmp/model.yaml" --network "$network" --key "$net/researcher.key" --credential "$net/credential" \
    --dictionary examples/rotterdam/dictionary.yaml --detach 2>/dev/null)
for site in "$net"/sites/*; do
    wait_for 15 "$bin/maille-worker" pending "$id" --dir "$site"
done
says 0 '^registration: Chemotherapy' "$bin/maille-worker" pending "$id" --dir "$net/sites/site-1"
register --close HDH-0000
in_force '    closed: true'
wait_for 15 sh -c "'$maille' audit show --network '$net/network.yaml' '$net/sites/site-1/log' | grep -q protocol"
says 1 'found it cancelled' "$maille" resume "$id" --timeout 60s
says 1 'HDH-0000 is closed' ask "$tmp/free.yaml"
register --reopen HDH-0000
in_force '    end: 2099-12-31'
wait_for 15 sh -c "! grep -q '^    closed' '$net/sites/site-4/network.yaml'"
says 0 '' ask "$tmp/free.yaml" --quiet
json 'a["age"]["status"] == "ok" and r["sites"] == 4'

# The register of an officer has what the network registered.
says 0 '' "$maille" audit export "$net/sites/site-1/log" --out "$tmp/books" --lang en --network "$network"
says 0 'summary for patients' head -n 1 "$tmp/books/register.csv"
says 0 'HDH-0000,Chemotherapy and survival after primary breast cancer' cat "$tmp/books/register.csv"

# Who is revoked is named by no registration.
says 0 'researcher is revoked, and named by no registration' "$maille" network revoke --network "$network" researcher
done_well
