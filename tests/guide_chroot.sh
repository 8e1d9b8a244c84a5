#!/bin/sh
# Builds maille in a fresh Debian 12 and runs docs/NETWORK.md there: nothing of this machine is used but its archive of packages.
#   tests/guide_chroot.sh      needs root and debootstrap; part of scripts/test --all
set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh
packages_install debootstrap
archive=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" && $2 ~ /debian\/?$/ {print $2; exit}')
root=$(mktemp -d)
finish() {
    umount "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 130' INT TERM
began=$(date +%s)
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "${archive:-http://deb.debian.org/debian}" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    exit 1
}
rm -f "$root.log"
cp -a /etc/apt/sources.list.d "$root/etc/apt/" 2>/dev/null || true
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mount -t proc proc "$root/proc"
mkdir "$root/source"
git ls-files -z | xargs -0 tar -c | tar -x -C "$root/source"
chroot "$root" sh -eu -c '
    cd /source
    . scripts/packages.sh
    # shellcheck disable=SC2086
    packages_install $build_packages python3 procps
    build_quietly release --target maille maille-worker maille-coordinator
    echo "a fresh Debian 12 with maille built in it"'
built=$(date +%s)
chroot "$root" python3 /source/tests/guide.py /source/build/release/bin /srv/guide
echo "$((built - began)) s for the system and the build, $(($(date +%s) - built)) s for the guide"
