#!/bin/sh
# Makes the base image out of Debian's archive, where no image registry can be reached.
#   docker/base-image.sh [IMAGE]        default localhost/debian:bookworm-slim
# Needs root, debootstrap, and ENGINE (docker, or podman with its flags).
set -eu
image=${1:-localhost/debian:bookworm-slim}
engine=${ENGINE:-podman --storage-driver=vfs}
archive=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" && $2 ~ /debian\/?$/ {print $2; exit}')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "${archive:-http://deb.debian.org/debian}" >&2
chmod 755 "$root" # mktemp closes it to others; in the image it is /, where everybody must pass
# The archive and its settings (a proxy, a mirror) are the ones of this machine.
cp -a /etc/apt/sources.list.d "$root/etc/apt/" 2>/dev/null || true
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
# shellcheck disable=SC2086
tar -C "$root" -c . | $engine import - "$image"
