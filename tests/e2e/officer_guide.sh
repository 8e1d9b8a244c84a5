# Goal: the commands of docs/OFFICER_GUIDE.md, in English and French the same, take an officer from her key through a decision to her registers.
. tests/e2e/lib.sh
commands() { sed -n '/^```sh$/,/^```$/p' "$1" | grep -v '^```'; }
commands docs/OFFICER_GUIDE.md >"$tmp/english"
commands docs/OFFICER_GUIDE.fr.md >"$tmp/french"
sed 's/ --lang fr/ --lang en/' "$tmp/french" | cmp - "$tmp/english" || fail "the French guide has other commands than the English one"
[ "$(wc -l <"$tmp/english")" -gt 15 ] || fail "expected the commands of the guide"

printf 'policy: standard\napproval: { default: auto, methods: { cox: hold } }\n' >"$tmp/hold.yaml"
up --policy "$tmp/hold.yaml"
site=$net/sites/site-1 roster=$net/network.yaml credential=$net/credential
study asked 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
study next 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age" }'
PATH=$bin:$PATH
first=$(sed -n 2p "$site/data.csv" | cut -d, -f1)
mkdir "$tmp/desk"
printf 'pseudonym,date,purposes\n%s,2026-01-01,all\n' "$first" >"$tmp/desk/objections.csv"
cp "$roster" "$tmp/desk/network.yaml"
waiting() { # STUDY: asked; prints its id once it waits for the officer of site-1
    id=$("$maille" sandbox run --dir "$net" "$tmp/$1.yaml" --detach 2>/dev/null)
    wait_for 20 "$bin/maille-worker" pending "$id" --dir "$site"
    echo "$id"
}
ID=$(waiting asked) || fail "nothing waits"
export ID
for language in english french; do
    rm -rf "$tmp/desk/page" "$tmp/desk/record" "$tmp/desk/export" "$tmp/desk/alpha.tar" "$tmp/desk/alpha-dpo.key" "$tmp/desk/alpha-dpo.pub"
    while read -r command; do
        # The second time, in French, there is nothing left to decide, and who objects is known.
        case $language$command in french*' decide '* | french*' pending "'* | french*' import '*) continue ;; esac
        case $command in *'officer stop'*) [ -n "${NEXT:-}" ] || NEXT=$(waiting next) || fail "nothing waits"; export NEXT ;; esac
        case $command in *'audit verify'*)
            rm -rf "$tmp/desk/alpha-log" "$tmp/desk/coordinator-log"
            cp -r "$site/log" "$tmp/desk/alpha-log"
            cp -r "$net/coordinator/log" "$tmp/desk/coordinator-log"
            ;;
        esac
        here=$(echo "$command" | sed "s|/srv/maille|$site|g; s|/etc/maille/credential|$credential|g")
        (cd "$tmp/desk" && eval "$here") >"$tmp/said" 2>&1 </dev/null || { cat "$tmp/said"; fail "expected success: $command"; }
        checks=$((checks + 1))
        case $command in
        'maille keygen'*) # her card is in the directory: the sandbox has made her key before
            cp "$site/dpo.key" "$tmp/desk/alpha-dpo.key"
            cp "$credential" "$tmp/desk/officer.credential"
            ;;
        *'officer review'*) grep -q 'Surv(dtime, death) ~ age + size' "$tmp/said" || fail "the question is not told" ;;
        *'decide decision'*) # the other hospitals' officers too
            for n in 2 3 4 5 6; do
                wait_for 20 "$bin/maille-worker" pending "$ID" --dir "$net/sites/site-$n"
                says 0 approved "$bin/maille-worker" approve "$ID" --dir "$net/sites/site-$n" --credential "$credential" --reason read
            done
            says 0 '' "$maille" resume "$ID" --network "$roster" --key "$net/researcher.key" --credential "$credential" --timeout 60s
            ;;
        *'decide stop'*) wait_for 10 sh -c "'$maille' audit show '$site/log' --network '$roster' --query $NEXT --lang en | grep -q 'stopped by site-1-dpo: a complaint'" ;;
        *'audit verify'*) grep -q ' sound: ' "$tmp/said" || fail "expected a sound log: $(cat "$tmp/said")" ;;
        *'--query'*) grep -q 'opinion of 3 March' "$tmp/said" || fail "expected her reason: $(cat "$tmp/said")" ;;
        *'audit page'*) [ -s "$tmp/desk/page/index.html" ] || fail "expected a page" ;;
        *'audit record'*) [ -s "$tmp/desk/record/record.html" ] || fail "expected a register" ;;
        *' objections '*) grep -q "^$first " "$tmp/said" || fail "expected who objects" ;;
        esac
    done <"$tmp/$language"
done
done_well
