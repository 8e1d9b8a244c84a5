# Goal: the commands of docs/SITE_GUIDE.md, in English and French the same, take a hospital from a French export to its first answered query.
. tests/e2e/lib.sh
commands() { sed -n '/^```sh$/,/^```$/p' "$1" | grep -v '^```'; }
commands docs/SITE_GUIDE.md >"$tmp/commands"
commands docs/SITE_GUIDE.fr.md | cmp - "$tmp/commands" || fail "the French guide has other commands than the English one"
[ "$(wc -l <"$tmp/commands")" -gt 14 ] || fail "expected the commands of the guide"

# The export: title, French names and words; the others of the network have theirs as the dictionary says.
"$bin/maille-worker" synth --profile esme-mbc --patients 6000 --centres 6 --out "$tmp/registry" >/dev/null
cp examples/esme-mbc/dictionary.yaml "$tmp/dictionary.yaml"
python3 - "$tmp" <<'PYTHON'
import csv, sys
tmp = sys.argv[1]
rows = list(csv.DictReader(open(tmp + "/registry/patients.csv", encoding="utf-8")))
for centre in ("C02", "C03", "C04", "C05", "C06"):
    with open(tmp + "/" + centre + ".csv", "w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(row for row in rows if row["centre"] == centre)
french = {"pid": "PID", "subtype": "Subtype", "age": "Âge", "mfi": "MFI", "bone_only": "Bone_only (Oui/Non)", "visceral": "Viscéral", "n_sites": "N_sites", "ps": "PS",
          "year": "Year", "first_line": "First line", "os": "OS", "death": "Death", "pfs": "PFS", "progression": "Progression"}
with open(tmp + "/export.csv", "w", encoding="cp1252", newline="") as file:
    file.write("Export ESME du 12/03/2026\r\n\r\n" + ";".join(french.values()) + "\r\n")
    for row in rows:
        if row["centre"] == "C01":
            words = [("Oui" if row[name] == "1" else "Non") if name in ("bone_only", "visceral", "death", "progression") else row[name] for name in french]
            file.write(";".join(words) + "\r\n")
own = [row["pid"] for row in rows if row["centre"] == "C01"]
open(tmp + "/objections.csv", "w").write("pseudonym,date,purposes\n%s,2026-01-01,all\n" % own[6])
PYTHON
cat >"$tmp/study.yaml" <<'STUDY'
study: first
dictionary: esme-mbc@1
title: Survival by subtype
purpose: research-public-interest
legal_basis: MR-004
protocol: HDH-0000
expires: 2099-12-31
grid: month
missing: study
analyses:
  - { id: os, method: km, formula: "Surv(os, death) ~ subtype" }
STUDY

# The rest of the network: an authority, a coordinator, a researcher, five sites (with fewer, an officer decides).
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
worker=$bin/maille-worker
quiet() { "$@" >"$tmp/said" 2>&1 || { cat "$tmp/said"; fail "expected success: $*"; }; }
pids=
leave() {
    status=$?
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    for pid in $pids; do wait "$pid" 2>/dev/null || true; done
    exit $status
}
trap leave EXIT
quiet "$maille" keygen --role authority --name board --out "$tmp/board" --credential "$tmp/board.credential"
quiet "$maille" keygen --role researcher --name alice --out "$tmp/board" --credential "$tmp/alice.credential"
quiet "$bin/maille-coordinator" init --dir "$tmp/hub" --name hub --credential "$tmp/hub.credential" --endpoint "tcp://127.0.0.1:$port"
for other in 02 03 04 05 06; do
    quiet "$worker" init --dir "$tmp/c$other" --name "centre-$other" --legal-entity "Hospital $other" --credential "$tmp/c$other.credential"
    quiet "$worker" import --dir "$tmp/c$other" --dictionary "$tmp/dictionary.yaml" --data "$tmp/C$other.csv" --credential "$tmp/c$other.credential"
    # Under a strict policy the study would wait for an officer, who is not here.
    printf 'policy: standard\n' >"$tmp/c$other/policy.yaml"
done
join() {
    quiet "$maille" network init --name toy --network "$tmp/network.yaml" --endpoint "tcp://127.0.0.1:$port" --coordinator "$tmp/hub/coordinator.pub" \
        --purposes research-public-interest "$tmp/board/board.pub"
    for site in srv c02 c03 c04 c05 c06; do quiet "$maille" network add --network "$tmp/network.yaml" --legal-entity "$site" "$tmp/$site/site.pub"; done
    quiet "$maille" network add --network "$tmp/network.yaml" "$tmp/board/alice.pub"
    quiet "$maille" network sign --network "$tmp/network.yaml" --key "$tmp/board/board.key" --credential "$tmp/board.credential"
    for folder in hub c02 c03 c04 c05 c06; do cp "$tmp/network.yaml" "$tmp/$folder/network.yaml"; done
    "$bin/maille-coordinator" serve --dir "$tmp/hub" --credential "$tmp/hub.credential" >"$tmp/hub.log" 2>&1 & pids="$pids $!"
    for other in 02 03 04 05 06; do
        "$worker" serve --dir "$tmp/c$other" --credential "$tmp/c$other.credential" >"$tmp/c$other.log" 2>&1 & pids="$pids $!"
    done
}
query() {
    "$maille" run "$tmp/study.yaml" --network "$tmp/network.yaml" --key "$tmp/board/alice.key" --credential "$tmp/alice.credential" --json "$tmp/result.json" \
        --timeout 60s >"$tmp/said" 2>&1 || { cat "$tmp/said" "$tmp"/*.log; fail "the first query"; }
    json 'r["sites"] == 6 and a["os"]["status"] == "ok" and sum(c["n"] for c in a["os"]["result"]["curves"]) > 5900'
}

PATH=$bin:$PATH
cd "$tmp"
while read -r command; do
    here=$(echo "$command" | sed "s|/srv/maille|$tmp/srv|g; s|/etc/maille/credential|$tmp/credential|g")
    case $command in
    'cp network.yaml'*) join ;;
    'maille-worker serve'*)
        eval "exec $here" >"$tmp/srv.log" 2>&1 </dev/null & pids="$pids $!" # exec: the worker itself is ended in the end
        query
        continue
        ;;
    esac
    eval "$here" >"$tmp/said" 2>&1 </dev/null || { cat "$tmp/said"; fail "expected success: $command"; }
    checks=$((checks + 1))
    case $command in
    'maille-worker map'*) sed -i 's|# ? no column looks like first_line.*|- { from: First line, to: first_line }|' mapping.yaml ;;
    'maille-worker check'*) grep -q 'Windows-1252, fields by ";"' said && grep -q '</html>' check.html || fail "the report of check" ;;
    'maille-worker snapshots show'*) grep -q 'snapshot 1 of .* esme-mbc version 1' said || fail "what snapshot 1 holds" ;;
    'maille-worker policy explain'*) printf 'policy: standard\n' >"$tmp/srv/policy.yaml" ;;
    'maille audit show'*) grep -q 'answered\|no query' said || fail "the log does not say what left" ;;
    'maille-worker snapshots prune'*) grep -q 'superseded snapshots removed' said || fail "what was pruned" ;;
    esac
done <"$tmp/commands"
cd - >/dev/null
done_well
