#!/bin/sh
# layout.format: every C file of the repository is laid out as .clang-format says.
set -eu
cd "${1:-.}"
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
git ls-files -- '*.[ch]' >"$tmp/files"
[ -s "$tmp/files" ] || { echo "expected C files that git knows, found none"; exit 1; }
xargs clang-format --dry-run -Werror <"$tmp/files" >"$tmp/log" 2>&1 && { echo "all as it should be"; exit 0; }
sed -n 's/^\([^ :]*:[0-9]*\):[0-9]*: error: .*/\1: expected the layout of .clang-format, found another; run clang-format -i on the file/p' "$tmp/log" |
    sort -u | grep . || cat "$tmp/log"
exit 1
