#!/bin/sh
# layout.bit_rules: every test that the table of docs/decisions/0002-exact-sums.md gives for a bit rule is there, and says "Bit rule N".
set -eu
cd "${1:-.}"
page=docs/decisions/0002-exact-sums.md
status=0
for rule in 1 2 3 4 5 6 7 8 9; do
    files=$(sed -n "s/^| $rule |.*| \([^|]*\) |\$/\1/p" $page | grep -o '`[^`]*`' | tr -d '`' || true)
    [ -n "$files" ] || {
        echo "$page: expected tests of rule $rule, found none"
        status=1
    }
    for file in $files; do
        [ -f "$file" ] && grep -q "Bit rules\? [0-9, and]*$rule" "$file" && continue
        echo "$page: expected $file to name Bit rule $rule, found no such file or words"
        status=1
    done
done
# Bit rule 7: decimals are read in the C locale, which every program starts in.
if grep -rln 'setlocale *(.*;' --include=*.c --exclude-dir=tests --exclude-dir=build .; then
    echo "expected no call of setlocale, found it above"
    status=1
fi
[ $status = 0 ] && echo "every bit rule has a test that names it"
exit $status
