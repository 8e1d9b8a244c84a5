#!/bin/sh
# Builds the images and runs the example study across real containers: a coordinator and three toy hospitals, non-root, read-only
# root, no capabilities. With Docker where an engine runs, else with Podman. Part of scripts/test --all.
#   docker/test.sh [--keep]
set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh
keep=${1:-}
packages_install python3
# How containers are built and run. Host networking: the test must pass where a bridge cannot be made; docker/compose.yaml shows the separate networks.
if docker info >/dev/null 2>&1; then
    engine=docker
    build() { docker build --network=host "$@"; }
    run() { docker run --network=host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"; }
else
    packages_install debootstrap podman buildah runc
    engine="podman --storage-driver=vfs"
    build() { buildah --storage-driver=vfs bud --isolation=chroot --network=host --layers "$@"; }
    run() {
        # --cgroups has no limit to set here; crun does not start under a hybrid hierarchy, runc does.
        case "$1" in -*) : ;; esac
        podman --storage-driver=vfs --runtime runc --cgroup-manager cgroupfs run --network=host \
            --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
    }
fi
base=debian:bookworm-slim
if ! $engine image inspect $base >/dev/null 2>&1 && ! $engine pull $base >/dev/null 2>&1; then
    base=localhost/debian:bookworm-slim
    $engine image inspect $base >/dev/null 2>&1 || ENGINE=$engine docker/base-image.sh $base
fi
for program in maille maille-worker maille-coordinator; do
    echo "image $program" >&2
    build --build-arg BASE=$base --target $program -t $program -f docker/Dockerfile . >build/image-$program.log 2>&1 || {
        tail -n 30 build/image-$program.log >&2
        exit 1
    }
done

toy=$(mktemp -d)
started=
finish() {
    # shellcheck disable=SC2086
    [ -z "$started" ] || $engine rm -f $started >/dev/null 2>&1 || true
    [ "$keep" = --keep ] || rm -rf "$toy"
}
trap finish EXIT
trap 'exit 130' INT TERM
hardened="--read-only --cap-drop=ALL --security-opt=no-new-privileges --user 10001:10001 --tmpfs /tmp"
# The sandbox makes keys, directory and snapshots; then its processes give way to containers over the same folders.
cp -r examples/rotterdam "$toy/example"
chown -R 10001:10001 "$toy"
chmod 755 "$toy"
