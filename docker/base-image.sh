#!/bin/sh
# Makes the base image out of Debian's archive, where no image registry can be reached.
#   docker/base-image.sh [IMAGE]        default localhost/debian:bookworm-slim
# Needs root; the archive is the one that apt uses here.
set -eu
cd "$(dirname "$0")/.."
. docker/engine.sh
image=${1:-localhost/debian:bookworm-slim}
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' | grep ' bookworm' | sort -u)
[ -n "$sources" ] || sources='deb http://deb.debian.org/debian bookworm main'
archive=$(echo "$sources" | awk '$3 == "bookworm" { print $2; exit }')
include=
case $sources in *https://*) include=--include=ca-certificates ;; esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# shellcheck disable=SC2086
debootstrap --variant=minbase $include bookworm "$root" "$archive" >&2
chmod 755 "$root" # mktemp closes it to others; in the image it is /, where everybody must pass
echo "$sources" >"$root/etc/apt/sources.list"
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true # a proxy
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar -C "$root" -c . | $engine import - "$image"
