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
        # crun does not start under a hybrid hierarchy of cgroups, runc does.
        podman --storage-driver=vfs --runtime runc --cgroup-manager cgroupfs run --network=host \
            --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
    }
fi
base=debian:bookworm-slim
if ! $engine image inspect $base >/dev/null 2>&1 && ! $engine pull $base >/dev/null 2>&1; then
    base=localhost/debian:bookworm-slim
    $engine image inspect $base >/dev/null 2>&1 || ENGINE=$engine docker/base-image.sh $base
fi
mkdir -p build # logs; a fresh clone has none
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
    status=$?
    if [ $status != 0 ]; then
        for name in $started; do
            echo "-- $name" >&2
            $engine logs "$name" 2>&1 | tail -n 8 >&2
        done
    fi
    # shellcheck disable=SC2086
    [ -z "$started" ] || $engine rm -f $started >/dev/null 2>&1 || true
    if [ "$keep" = --keep ]; then echo "kept: $toy" >&2; else rm -rf "$toy"; fi
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM
hardened="--read-only --cap-drop=ALL --security-opt=no-new-privileges --user 10001:10001 --tmpfs /tmp"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# once IMAGE FOLDER ARGUMENT…: a container that runs one command over the folder $toy/FOLDER as /data.
once() {
    image=$1 folder=$2
    shift 2
    # shellcheck disable=SC2086
    run --rm $hardened -e XDG_STATE_HOME=/data/state -v "$toy/$folder:/data" -v "$toy/secrets/${folder##*/}:/run/secrets" "$image" "$@"
}
# daemon NAME IMAGE FOLDER: the image's own command, in the background.
daemon() {
    # shellcheck disable=SC2086
    run -d --name "maille-toy-$1" $hardened -v "$toy/$3:/data" -v "$toy/secrets/${3##*/}:/run/secrets:ro" "$2" serve --dir /data >/dev/null
    started="$started maille-toy-$1"
}

echo "keys, directory, snapshots: each party in its own container" >&2
mkdir -p "$toy/coordinator" "$toy/board" "$toy/sites/alpha" "$toy/sites/beta" "$toy/sites/gamma"
for party in coordinator board alpha beta gamma .; do mkdir -p "$toy/secrets/$party"; done
# Whole patients to each hospital: one row a patient in this file.
for site in 0 1 2; do
    name=$(echo alpha beta gamma | cut -d' ' -f$((site + 1)))
    awk -v s=$site 'NR == 1 || NR % 3 == s' examples/rotterdam/rotterdam.csv >"$toy/sites/$name/export.csv"
    cp examples/rotterdam/dictionary.yaml "$toy/sites/$name/"
done
cp examples/rotterdam/dictionary.yaml examples/rotterdam/study.yaml "$toy/board/"
chmod 755 "$toy"
chown -R 10001:10001 "$toy"
once maille board keygen --role authority --name board --out /data --credential /run/secrets/board >/dev/null
once maille board keygen --role researcher --name alice --out /data --credential /run/secrets/alice >/dev/null
once maille-coordinator coordinator init --dir /data --name hub --credential /run/secrets/maille --endpoint "tcp://127.0.0.1:$port" >/dev/null
cp "$toy/coordinator/coordinator.pub" "$toy/board/hub.pub"
for name in alpha beta gamma; do
    once maille-worker "sites/$name" init --dir /data --name $name --legal-entity "Hospital $name" --credential /run/secrets/maille >/dev/null
    cp "$toy/sites/$name/site.pub" "$toy/board/$name.pub"
    echo 'policy: open' >"$toy/sites/$name/policy.yaml"
    once maille-worker "sites/$name" import --dir /data --dictionary /data/dictionary.yaml --data /data/export.csv --credential /run/secrets/maille --public >/dev/null
done
chown -R 10001:10001 "$toy"
once maille board network init --name toy --network /data/network.yaml --endpoint "tcp://127.0.0.1:$port" --coordinator /data/hub.pub \
    --purposes research-public-interest --ready-timeout 10s --accept-timeout 10s --masked-timeout 10s --reveal-timeout 10s /data/board.pub >/dev/null
for name in alpha beta gamma; do
    once maille board network add --network /data/network.yaml --legal-entity "Hospital $name" /data/$name.pub >/dev/null
done
once maille board network add --network /data/network.yaml /data/alice.pub >/dev/null
once maille board network sign --network /data/network.yaml --key /data/board.key --credential /run/secrets/board >/dev/null
for folder in coordinator sites/alpha sites/beta sites/gamma; do
    cp "$toy/board/network.yaml" "$toy/$folder/network.yaml"
done
chown -R 10001:10001 "$toy"

echo "a coordinator and three hospitals, then the study" >&2
daemon coordinator maille-coordinator coordinator
for name in alpha beta gamma; do daemon $name maille-worker "sites/$name"; done
once maille board run /data/study.yaml --network /data/network.yaml --key /data/alice.key --credential /run/secrets/alice \
    --json /data/result.json --timeout 60s
for name in $started; do # who runs in them, and that nothing can be written beside the volume
    [ "$($engine exec "$name" id -u)" = 10001 ] || { echo "expected uid 10001 in $name" >&2; exit 1; }
    ! $engine exec "$name" touch /usr/x 2>/dev/null || { echo "expected a read-only root in $name" >&2; exit 1; }
done
python3 tests/compare.py "$toy/board/result.json" tests/vectors/rotterdam.demo.gold.json --rtol 1e-9 --field-rtol p_value=1e-7 \
    >"$toy/compared" || { grep -v '^OK' "$toy/compared" >&2; exit 1; }
tail -n 2 "$toy/compared"
for name in $started; do # what opens its key is not in its volume, and its walls stand
    $engine logs "$name" 2>&1 | grep -q 'walls: seccomp' || { echo "expected walls in $name" >&2; exit 1; }
    ! $engine logs "$name" 2>&1 | grep -q 'stands in the folder' || { echo "expected the credential elsewhere in $name" >&2; exit 1; }
done
once maille . audit show --summary --network /data/board/network.yaml /data/sites/alpha/log /data/sites/beta/log /data/sites/gamma/log
echo "1 passed, 0 failed"
