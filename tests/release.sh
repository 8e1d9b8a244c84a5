#!/bin/sh
# What scripts/release makes (a trial, with the programs of a build): each file is what docs/RELEASE.md says, and one that was altered is found.
#   tests/release.sh FOLDER     of the programs, e.g. build/dev/bin
set -eu
cd "$(dirname "$0")/.."
fail() {
    echo "release: $*" >&2
    exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
made=$scratch/made
scripts/release --trial --programs "$1" "$made" >/dev/null
version=$(sed -n 's/^project(maille VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)

# The commands of the page, as they stand there.
sed -n '/^## To check them/,/^## To build/p' docs/RELEASE.md | sed -n '/^```sh/,/^```/p' | grep -v '^```' >"$scratch/check.sh"
[ "$(wc -l <"$scratch/check.sh")" = 3 ] || fail "expected three commands in docs/RELEASE.md, found others"
check() { (cd "$made" && signers=$made/release.signers sh -eu "$scratch/check.sh") >"$scratch/said" 2>&1; }
check || { cat "$scratch/said" >&2; fail "expected the files to hold, found that they do not"; }
grep -q '^Good "maille-release" signature' "$scratch/said" || fail "expected a good signature, found $(cat "$scratch/said")"

# Each file is there and is what it says.
for program in maille maille-worker maille-coordinator; do
    python3 - "$made/$program-$version.cdx.json" "$1/$program" <<'PYTHON'
import hashlib, json, sys
bom = json.load(open(sys.argv[1]))
assert bom["bomFormat"] == "CycloneDX" and bom["specVersion"] == "1.5", "no CycloneDX 1.5"
assert bom["metadata"]["component"]["hashes"][0]["content"] == hashlib.sha256(open(sys.argv[2], "rb").read()).hexdigest(), "another program"
names = {component["name"] for component in bom["components"]}
assert {"libc6", "libsodium23"} <= names, f"expected libc6 and libsodium23 among {sorted(names)}"
PYTHON
done
grep -q "^maille-worker $version [0-9a-f]\{64\}" "$made/programs-$version.txt" || fail "expected a line of maille-worker, found $(cat "$made/programs-$version.txt")"
tar -tJf "$made/maille-$version.tar.xz" | grep -qx "maille-$version/SECURITY.md" || fail "expected the source in its archive, found none"
tar -tvJf "$made"/maille-"$version"-debian12-*.tar.xz | awk '/maille-worker$/ && $2 == "0/0" && $1 == "-rwxr-xr-x" { found = 1 } END { exit !found }' ||
    fail "expected maille-worker for everybody to run in its archive, found another"

# Altered, it does not hold.
for file in "programs-$version.txt" SHA256SUMS SHA256SUMS.sig; do
    cp "$made/$file" "$scratch/kept"
    # The last letter or digit becomes another.
    python3 - "$made/$file" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = len(data) * 2 // 3
data[at] = ord("b") if data[at] != ord("b") else ord("c")
open(sys.argv[1], "wb").write(data)
PYTHON
    ! check || fail "expected $file to be refused once altered, found that it holds"
    cp "$scratch/kept" "$made/$file"
done
check || fail "expected the files to hold again, found that they do not"

# A release, which is no trial, wants what it wants.
ssh-keygen -q -t ed25519 -N '' -C somebody -f "$scratch/key"
! scripts/release --key "$scratch/key" "$scratch/none" >"$scratch/said" 2>&1 || fail "expected no release, found one"
[ ! -e "$scratch/none" ] || fail "expected nothing to be written where there is no release, found a folder"
