# Goal: a run says its results on the terminal, whatever files it writes; resume needs the id alone.
. tests/e2e/lib.sh
up --sites 3
study small 'cohort: age >= 18' 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size + chemo" }' \
    '  - { id: os, method: km, formula: "Surv(dtime, death) ~ chemo" }' '  - { id: t1, method: describe, variables: [age, size], by: chemo }'
ask "$tmp/small.yaml" >"$tmp/said.txt"
shown() {
    grep -q -- "$1" "$tmp/said.txt" || { cat "$tmp/said.txt" >&2; fail "expected \"$1\" on the terminal"; }
    checks=$((checks + 1))
}
shown '^cox: Cox model$'
shown '^  Characteristic  *n  Events  *HR (95% CI)  *p$'
shown '^  Age at surgery, per year  *1\.0[0-9]* ('
shown '^    ≤20  *[0-9]*  *[0-9]*  *Reference$'
shown 'Median (95% CI)$'
shown 'Age at surgery (years), mean (SD)'
widest=$(python3 -c 'import sys; print(max(len(line.rstrip("\n")) for line in open(sys.argv[1], encoding="utf-8")))' "$tmp/said.txt")
[ "$widest" -le 80 ] || fail "expected lines of at most 80 columns, found $widest"
! LC_ALL=C grep -q "$(printf '\033')" "$tmp/said.txt" || fail "expected no control character"
ask "$tmp/small.yaml" --quiet >"$tmp/said.txt"
[ ! -s "$tmp/said.txt" ] || fail "expected nothing on standard output with --quiet"
# From another folder, with nothing but the id: network, key and output are those of the question.
here=$(dirname "$tmp/small.yaml")
(cd "$here" && "$maille" sandbox run --dir net small.yaml --json again.json --detach >id 2>detached)
(cd / && "$maille" resume "$(cut -c1-12 "$here/id")" >"$tmp/said.txt")
shown '^cox: Cox model$'
[ -s "$here/again.json" ] || fail "expected the result file where the question named it"
"$maille" report "$here/again.json" >"$tmp/report.txt" # the same tables, from the file
cmp "$tmp/said.txt" "$tmp/report.txt" || fail "the result file prints other tables than the run"
says 2 'found none whose id begins' "$maille" resume 0000
done_well
