# Goal: a study as evidence: one signed archive that is verified without a network, in which each altered byte is found.
. tests/e2e/lib.sh
up --sites 3
study first 'cohort: age >= 40' 'analyses:' '  - { id: os, method: km, formula: "Surv(dtime, death) ~ chemo" }' \
    '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
study second 'analyses:' '  - { id: n, method: count }' '  - { id: os, method: km, formula: "Surv(dtime, death) ~ hormon" }'
query() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["query"])' "$tmp/result.json"; }
ask "$tmp/second.yaml" --quiet
second=$(query)
ask "$tmp/first.yaml" --quiet --report "$tmp/report.html"
first=$(query)
says 0 'files' "$maille" bundle "$second" --out "$tmp/second.tar"
(cd "$tmp" && "$maille" bundle "$(echo "$first" | cut -c1-10)" >said.txt)
bundle=$tmp/first-$(echo "$first" | cut -c1-8).tar
[ -s "$bundle" ] || fail "expected $bundle"

# Years later: no network, no key, no journal.
"$maille" sandbox down --dir "$net" >/dev/null
mv "$XDG_STATE_HOME" "$tmp/away"
says 0 'every byte as researcher signed it' "$maille" bundle verify "$bundle"
says 0 '^sites  *site-1, snapshot 1$' "$maille" bundle verify "$bundle"
says 0 'of [1-9][0-9]* later log heads' "$maille" bundle verify "$bundle"
grep -q '\([0-9]*\) of \1 later log heads' "$tmp/said" || fail "expected every later log head with its proof"
says 0 'as the directory that you named' "$maille" bundle verify "$bundle" --network "$net/network.yaml"

# What tar and sha256sum make of it, and what the run wrote.
mkdir "$tmp/unpacked"
tar -xf "$bundle" -C "$tmp/unpacked"
(cd "$tmp/unpacked"/first-* && sha256sum --quiet -c SHA256SUMS)
cmp "$tmp/unpacked"/first-*/result.json "$tmp/result.json"
cmp "$tmp/unpacked"/first-*/report.html "$tmp/report.html"
cmp "$tmp/unpacked"/first-*/study.yaml "$tmp/first.yaml"
cmp "$tmp/unpacked"/first-*/network.yaml "$net/network.yaml"
python3 - "$tmp/unpacked"/first-* <<'PYTHON'
import hashlib, json, os, sys
root = sys.argv[1]
crate = json.load(open(f"{root}/ro-crate-metadata.json"))
assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
graph = {entity["@id"]: entity for entity in crate["@graph"]}
assert len(graph) == len(crate["@graph"]), "an entity twice"
assert graph["ro-crate-metadata.json"]["conformsTo"]["@id"] == "https://w3id.org/ro/crate/1.1"
root_entity = graph["./"]
for key in ("name", "description", "datePublished"):
    assert root_entity[key], key
files = {part["@id"] for part in root_entity["hasPart"]}
found = {os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names}
assert files == found - {"ro-crate-metadata.json", "SHA256SUMS", "SHA256SUMS.signature"}, files ^ found
for name in files:
    data = open(f"{root}/{name}", "rb").read()
    assert graph[name]["sha256"] == hashlib.sha256(data).hexdigest() and graph[name]["contentSize"] == len(data), name
def references(value):
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)
for name in references(list(graph.values())):
    assert name in graph or name.startswith("https://"), name
assert graph["#protocol"]["value"] == "HDH-0000" and graph["#snapshot-1"]["version"] == "1"
assert "policy: open" in graph["#policy-1"]["value"].replace("preset", "policy"), graph["#policy-1"]
PYTHON
checks=$((checks + 7))

# Each altered byte, and each part that does not belong.
python3 tests/bundle/tamper.py "$bundle" "$tmp" "${MAILLE_TAMPERINGS:-100}" "$maille" bundle verify
"$bin/bundle_parts" "$bundle" "$tmp/second.tar"
checks=$((checks + 2))

# In the circle the sites signed each number, and a reader opens what they sealed.
mv "$tmp/away" "$XDG_STATE_HOME"
echo 'policy: standard' >"$tmp/policy.yaml"
net=$tmp/net-circle
up --sites 5 --policy "$tmp/policy.yaml"
for name in second first; do
    ask "$tmp/$name.yaml" --quiet
    json 'r["mode"] == "circle"'
    "$maille" bundle "$(query)" --out "$tmp/circle-$name.tar" >/dev/null
done
"$maille" sandbox down --dir "$net" >/dev/null
says 0 '^results  *the numbers of 2 analyses, each signed alike by at least 5 of 5 sites$' "$maille" bundle verify "$tmp/circle-first.tar"
"$bin/bundle_parts" "$tmp/circle-first.tar" "$tmp/circle-second.tar" "$net/researcher.key" "$net/credential" >"$tmp/said.txt" || { cat "$tmp/said.txt" >&2; fail "a part that no site signed was taken"; }
checks=$((checks + 2))
net=$tmp/net
mv "$XDG_STATE_HOME" "$tmp/away"

# Whom the reader trusts; a query that is not there, or was not answered yet.
sed 's/sandbox-authority/other-authority/' "$net/network.yaml" >"$tmp/other.yaml"
says 2 'expected' "$maille" bundle verify "$bundle" --network "$tmp/other.yaml"
says 2 'none whose id begins' "$maille" bundle "$first"
says 2 'verify and a file' "$maille" bundle verify
done_well
