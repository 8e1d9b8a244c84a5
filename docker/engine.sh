# shellcheck shell=sh disable=SC2034
# Sourced by build.sh, test.sh and base-image.sh: how containers are built and run here. Docker where an engine runs, else Podman.
# engine: what knows images and containers; build: builds an image; run: runs a container, with limits of open files that any host allows.
if docker info >/dev/null 2>&1; then
    engine=docker
    build() { docker build --network=host "$@"; }
    run() { docker run --ulimit nofile=1024:1024 "$@"; }
else
    . scripts/packages.sh
    packages_install debootstrap podman buildah runc containernetworking-plugins
    engine="podman --storage-driver=vfs"
    # HEALTHCHECK is in the format of docker alone.
    build() { buildah --storage-driver=vfs bud --format docker --isolation=chroot --network=host --layers "$@"; }
    # crun does not start under a hybrid hierarchy of cgroups, runc does.
    run() { podman --storage-driver=vfs --runtime runc --cgroup-manager cgroupfs run --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"; }
fi
