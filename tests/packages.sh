#!/bin/sh
# Builds the Debian packages, has lintian judge them, and in a fresh Debian 12 installs them, runs docs/NETWORK.md, docs/BACKUP.md and
# docs/SITE_GUIDE.md with them, upgrades them over a site that has answered, goes back to the older ones, and purges them.
#   tests/packages.sh [FOLDER]     FOLDER holds packages that are built already; needs root and debootstrap; part of scripts/test --all
set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh
# shellcheck disable=SC2086
packages_install debootstrap $build_packages
built=${1:-}
work=$(mktemp -d)
root=$work/root
finish() {
    umount "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
began=$(date +%s)
if [ -z "$built" ]; then
    packages_install debhelper dpkg-dev lintian
    built=$work/built
    mkdir -p "$built/maille"
    git ls-files -z | xargs -0 tar -c | tar -x -C "$built/maille"
    (cd "$built/maille" && dpkg-buildpackage -b -us -uc) >"$work/log" 2>&1 || {
        tail -n 40 "$work/log" >&2
        fail "expected the packages to be built"
    }
    rm -rf "$built/maille"
fi
lintian --fail-on error,warning "$built"/maille*.changes || fail "expected lintian to find nothing"
echo "packages of $(du -ch "$built"/maille*.deb | tail -n 1 | cut -f 1), lintian finds nothing, $(($(date +%s) - began)) s"

began=$(date +%s)
archive=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" && $2 ~ /debian\/?$/ {print $2; exit}')
if [ -d "${MAILLE_CHROOT:-}" ]; then # a fresh one that was made before
    cp -a "$MAILLE_CHROOT" "$root"
else
    debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "${archive:-http://deb.debian.org/debian}" >"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        exit 1
    }
fi
chmod 755 "$work" "$root"
cp -a /etc/apt/sources.list.d "$root/etc/apt/" 2>/dev/null || true
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts "$root/etc/"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no service is started in a chroot
chmod 755 "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"
mkdir -p "$root/debs" "$root/source"
cp "$built"/maille*.deb "$root/debs/"
git ls-files -z docs tests examples | xargs -0 tar -c | tar -x -C "$root/source"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
quietly() { inside "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; fail "expected to go through: $*"; }; }
quietly apt-get update
quietly sh -c 'apt-get install -y --no-install-recommends python3 procps /debs/maille_*.deb /debs/maille-web_*.deb /debs/maille-worker_*.deb /debs/maille-coordinator_*.deb'
echo "a fresh Debian 12 with the packages installed, $(($(date +%s) - began)) s"

# What is there: users, folders, units, manuals.
for user in maille-worker maille-coordinator; do
    [ "$(inside stat -c '%U %a' "/var/lib/$user")" = "$user 700" ] || fail "expected /var/lib/$user to be $user's alone"
    [ -f "$root/lib/systemd/system/$user.service" ] || fail "expected a unit"
    [ -f "$root/usr/share/man/man1/$user.1.gz" ] || fail "expected a manual page"
done
[ "$(inside stat -c '%U %a' /etc/maille)" = "root 700" ] || fail "expected /etc/maille to be root's alone"

# From the export to the first answered query by the guides alone.
began=$(date +%s)
inside python3 -B /source/tests/guide.py /usr/bin /srv/guide
echo "export to first answered query in four hospitals, and a backup and back: $(($(date +%s) - began)) s"
began=$(date +%s)
inside env MAILLE_BIN=/usr/bin MAILLE_TEST_TMP=/srv/site_guide sh -c 'cd /source && sh tests/e2e/site_guide.sh'
echo "docs/SITE_GUIDE.md: $(($(date +%s) - began)) s"

# As the unit has it: root makes the site in its folder, another user serves it.
init() {
    inside maille-worker init --dir /var/lib/maille-worker --name centre-a --legal-entity "Hospital A" --credential /etc/maille/worker.credential
    inside maille-worker import --dir /var/lib/maille-worker --dictionary /source/examples/rotterdam/dictionary.yaml \
        --data /source/examples/rotterdam/rotterdam.csv --credential /etc/maille/worker.credential
}
init >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "expected a site in the package's folder"; }
others=$(inside find /var/lib/maille-worker ! -user maille-worker)
[ -z "$others" ] || fail "expected all of it to be maille-worker's, found: $others"
[ "$(inside stat -c '%U %a' /etc/maille/worker.credential)" = "root 600" ] || fail "expected a credential for root alone"

# A later version over it, the older again, and away: what a site keeps stays.
mkdir "$root/later"
for package in maille maille-worker maille-coordinator; do
    rm -rf "$work/again"
    dpkg-deb -R "$built/${package}"_*.deb "$work/again"
    sed -i 's/^\(Version: .*\)$/\1+later1/' "$work/again/DEBIAN/control"
    dpkg-deb -b --root-owner-group "$work/again" "$root/later/$package.deb" >/dev/null
done
kept() { inside sh -c 'cd /var/lib/maille-worker && find . -type f | sort | xargs sha256sum; sha256sum /etc/maille/worker.credential' | sha256sum; }
before=$(kept)
quietly sh -c 'apt-get install -y /later/*.deb'
[ "$(kept)" = "$before" ] || fail "expected an upgrade to change nothing of a site's"
quietly sh -c 'apt-get install -y --allow-downgrades /debs/*.deb'
[ "$(kept)" = "$before" ] || fail "expected the way back to change nothing of a site's"
quietly apt-get purge -y maille maille-worker maille-coordinator
[ "$(kept)" = "$before" ] || fail "expected a purge to leave keys, snapshots and log: they are the hospital's evidence"
for path in /usr/bin/maille-worker /lib/systemd/system/maille-worker.service /etc/systemd/system/multi-user.target.wants/maille-worker.service; do
    [ ! -e "$root$path" ] && [ ! -L "$root$path" ] || fail "expected $path to be gone"
done
echo "1 passed, 0 failed"
