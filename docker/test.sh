#!/bin/sh
# Builds the images and runs them: what README.md says, each command of it, and the example study over the containers of compose.yaml,
# while one hospital is killed in the middle and comes back. With Docker where an engine runs, else with Podman. Part of scripts/test --all.
#   docker/test.sh [--keep] [--built]      --keep: what they wrote stays; --built: with the images that are there
set -eu
cd "$(dirname "$0")/.."
. docker/engine.sh
. scripts/packages.sh
keep=no built=no
for word in "$@"; do
    case $word in
    --keep) keep=yes ;;
    --built) built=yes ;;
    *) echo "docker/test.sh: expected --keep or --built, found \"$word\"" >&2; exit 2 ;;
    esac
done
packages_install python3 python3-yaml iproute2 iptables util-linux
toy=$(mktemp -d)
prefix=maille-toy-$$
bridges=
checks=0
finish() {
    status=$?
    trap - EXIT
    for name in coordinator alpha beta gamma; do
        [ $status = 0 ] || ! $engine inspect $prefix-$name >/dev/null 2>&1 || { echo "-- $name" >&2; $engine logs $prefix-$name 2>&1 | tail -n 8 >&2; }
        $engine rm -f $prefix-$name >/dev/null 2>&1 || true
    done
    $engine rm -f $prefix-site $prefix-sbom $prefix-asks >/dev/null 2>&1 || true
    for bridge in $bridges; do iptables -D INPUT -i "$bridge" -j DROP 2>/dev/null || true; done
    for name in alpha beta gamma analyst; do $engine network rm $prefix-$name >/dev/null 2>&1 || true; done
    if [ $keep = yes ]; then echo "kept: $toy" >&2; else rm -rf "$toy"; fi
    exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
is() { # is EXPECTED FOUND WHAT
    [ "$1" = "$2" ] || fail "expected $3 $1, found $2"
    checks=$((checks + 1))
}
shaped() { $engine inspect --format "$2" "$1"; }

# The page's `docker`, its folders and its one container are the test's. What follows `run -d` there: the network of that hospital.
mkdir "$toy/bin"
cat >"$toy/bin/docker" <<WORDS
#!/bin/sh
# Health under Podman is asked for by a timer of systemd, where there is one.
cd "$PWD"
PATH=\${PATH#$toy/bin:} # engine.sh asks for docker: not for this script (which would fork without end)
engine="$engine"
. docker/engine.sh
case \$1 in
info) docker info ;; # build.sh looks whether an engine runs, and finds the same as this script
run) shift; case \$1 in -d) shift; run -d \$(cat "$toy/flags") "\$@" ;; *) run "\$@" ;; esac ;;
inspect) case \$engine in podman*) \$engine healthcheck run $prefix-site >/dev/null || true ;; esac; \$engine "\$@" ;;
*) \$engine "\$@" ;;
esac
WORDS
chmod 755 "$toy/bin/docker"
: >"$toy/flags"
# page PARTY [WORD]: the blocks of README.md of that party (that have WORD), run as they stand but for folders and names.
page() {
    awk -v party="$1" '$0 == "```sh " party { on = 1; block = ""; next } $0 == "```" && on { on = 0; if (word == "" || index(block, word)) printf "%s", block; next }
        on { block = block $0 "\n" }' word="${2:-}" docker/README.md |
        sed "s|/srv/maille|$toy/sites/alpha|g; s|/etc/maille/secrets|$toy/secrets/alpha|g; s|/srv/hub|$toy/coordinator|g; s|/etc/maille/hub|$toy/secrets/coordinator|g
            s|/srv/export|$toy/export|g; s|--name maille\\b|--name $prefix-site|; s|\\bsbom\\b|$prefix-sbom|g; s|centre-a|alpha|; s|cp network.yaml|cp $toy/board/network.yaml|
            s|^\\(docker .*\\) maille\$|\\1 $prefix-site|; s|docker exec maille |docker exec $prefix-site |; s|sbom:/usr/share/maille/\\(.*\\) \\.\$|sbom:/usr/share/maille/\\1 $toy|" >"$toy/page.sh"
    grep -q . "$toy/page.sh" || fail "expected commands of $1 in docker/README.md"
    PATH=$toy/bin:$PATH bash -eu "$toy/page.sh" >"$toy/said" 2>&1 || { cat "$toy/page.sh" "$toy/said" >&2; fail "expected the commands of docker/README.md to go through"; }
    checks=$((checks + $(grep -c 'docker\|iptables\|once ' "$toy/page.sh" || true)))
}

# --- the images ---
base=debian:bookworm-slim
if ! $engine image inspect $base >/dev/null 2>&1 && ! $engine pull $base >/dev/null 2>&1; then
    base=localhost/debian:bookworm-slim
    $engine image inspect $base >/dev/null 2>&1 || docker/base-image.sh $base >/dev/null
fi
digest=$($engine image inspect --format '{{index .RepoDigests 0}}' $base | sed 's/.*@//')
wrong=$(printf 'another' | sha256sum | cut -d' ' -f1)
! docker/build.sh "$base@sha256:$wrong" 2>"$toy/said" || fail "expected no build on a base of another digest"
grep -q "expected the image .*@sha256:$wrong, found .*$digest" "$toy/said" || { cat "$toy/said" >&2; fail "expected a sentence about the base"; }
began=$(date +%s)
[ $built = yes ] || BASE="$base@$digest" page site docker/build.sh
[ $built = yes ] || echo "three images, $(($(date +%s) - began)) s" >&2
page site sbom
is "$digest" "$(tail -n 1 "$toy/said")" "a label with the base's digest"
for image in maille maille-worker maille-coordinator; do
    size=$($engine image inspect --format '{{.Size}}' $image)
    echo "$image: $((size / 1000000)) MB" >&2
    [ "$size" -lt 120000000 ] || fail "expected $image to be under 120 MB, found $size bytes"
    is "$(sed -n 's/^project(maille VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)" \
        "$($engine image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' $image)" "the version in the labels of $image"
    is 10001:10001 "$($engine image inspect --format '{{.Config.User}}' $image)" "the user of $image"
    # The bill of materials names what the program links, each with a version; nothing else but licences is there.
    $engine create --name $prefix-sbom $image >/dev/null
    $engine export $prefix-sbom | tar -x -C "$toy" --one-top-level=files --no-same-owner
    $engine rm $prefix-sbom >/dev/null
    python3 - "$toy/files" $image <<'PYTHON' || fail "expected the bill of materials of $image to be whole"
import json, os, stat, sys, urllib.parse
root, program = sys.argv[1:]
bill = json.load(open(f"{root}/usr/share/maille/{program}.cdx.json"))
assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.5"
names = [c["name"] for c in bill["components"]]
assert sorted(names) == sorted(open(f"{root}/usr/share/maille/packages").read().split()) and len(names) == len(set(names)) > 5
assert {"libc6", "libsodium23", "libzmq5"} <= set(names), names
assert all(c["purl"].startswith(f"pkg:deb/debian/{urllib.parse.quote(c['name'])}@") and c["version"] for c in bill["components"])
assert bill["dependencies"][0]["dependsOn"] == [c["bom-ref"] for c in bill["components"]]
programs, special = [], []
for folder, _, files in os.walk(root):
    for file in files:
        path = os.path.join(folder, file)
        mode = os.lstat(path).st_mode
        if mode & (stat.S_ISUID | stat.S_ISGID):
            special.append(path)
        if stat.S_ISREG(mode) and mode & 0o111 and "/lib" not in folder[len(root):]:
            programs.append(path[len(root):])
wanted = {"maille-worker": ["/usr/bin/maille-web", "/usr/bin/maille-worker"]}.get(program, [f"/usr/bin/{program}"])
assert sorted(programs) == wanted and not special, (programs, special)
PYTHON
    checks=$((checks + 1))
    rm -rf "$toy/files"
done

# --- keys, directory, snapshots: each party in its own container ---
hardened="--no-healthcheck --network none --read-only --cap-drop=ALL --security-opt=no-new-privileges --tmpfs /tmp"
once() { # once IMAGE FOLDER ARGUMENT…: a container that runs one command over the folder $toy/FOLDER as /data
    image=$1 folder=$2
    shift 2
    # shellcheck disable=SC2086
    run --rm $hardened -e XDG_STATE_HOME=/data/state -v "$toy/$folder:/data" -v "$toy/secrets/${folder##*/}:/run/secrets" "$image" "$@"
}
for party in board beta gamma; do mkdir -p "$toy/secrets/$party"; done
mkdir -p "$toy/board" "$toy/export" "$toy/sites/beta" "$toy/sites/gamma"
# Whole patients to each hospital: one row a patient in this file.
for site in 0 1 2; do
    name=$(echo alpha beta gamma | cut -d' ' -f$((site + 1)))
    [ $site = 0 ] && export=$toy/export || export=$toy/sites/$name
    awk -v s=$site 'NR == 1 || NR % 3 == s' examples/rotterdam/rotterdam.csv >"$export/export.csv"
    cp examples/rotterdam/dictionary.yaml "$export/"
done
cp examples/rotterdam/dictionary.yaml examples/rotterdam/study.yaml "$toy/board/"
chmod 755 "$toy"
chown -R 10001:10001 "$toy/board" "$toy/sites" "$toy/secrets" "$toy/export"
page coordinator
page site "mkdir"
page site "once()"
# The example's data are public.
echo 'policy: open' >"$toy/sites/alpha/policy.yaml"
cp "$toy/export/export.csv" "$toy/export/dictionary.yaml" "$toy/sites/alpha/"
once maille-worker sites/alpha import --dir /data --dictionary /data/dictionary.yaml --data /data/export.csv --credential /run/secrets/maille --public >/dev/null
once maille board keygen --role authority --name board --out /data --credential /run/secrets/board >/dev/null 2>&1
once maille board keygen --role researcher --name alice --out /data --credential /run/secrets/alice >/dev/null 2>&1
for name in beta gamma; do
    once maille-worker sites/$name init --dir /data --name $name --legal-entity "Hospital $name" --credential /run/secrets/maille >/dev/null 2>&1
    echo 'policy: open' >"$toy/sites/$name/policy.yaml"
    once maille-worker sites/$name import --dir /data --dictionary /data/dictionary.yaml --data /data/export.csv --credential /run/secrets/maille --public >/dev/null
done
for name in alpha beta gamma; do cp "$toy/sites/$name/site.pub" "$toy/board/$name.pub"; done
cp "$toy/coordinator/coordinator.pub" "$toy/board/hub.pub"
once maille board network init --name toy --network /data/network.yaml --endpoint tcp://coordinator:9700 --coordinator /data/hub.pub \
    --purposes research-public-interest /data/board.pub >/dev/null 2>&1
for name in alpha beta gamma; do
    once maille board network add --network /data/network.yaml --legal-entity "Hospital $name" /data/$name.pub >/dev/null 2>&1
done
once maille board network add --network /data/network.yaml /data/alice.pub >/dev/null 2>&1
once maille board network sign --network /data/network.yaml --key /data/board.key --credential /run/secrets/board >/dev/null 2>&1
for folder in coordinator sites/alpha sites/beta sites/gamma; do
    cp "$toy/board/network.yaml" "$toy/$folder/network.yaml"
done
chown -R 10001:10001 "$toy/board" "$toy/sites" "$toy/coordinator"

# --- the containers of compose.yaml ---
case $engine in
podman*) runner="podman --storage-driver=vfs --runtime runc --cgroup-manager cgroupfs" ;;
*) runner=docker ;;
esac
# shellcheck disable=SC2086
MAILLE_TOY=$toy docker/up.py docker/compose.yaml $prefix $runner >"$toy/hosts"
address() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]][sys.argv[3]])' "$toy/hosts" "$1" "$2"; }
pid_of() { shaped "$1" '{{.State.Pid}}'; }
within() { # within SECONDS COMMAND…
    end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || fail "expected within the time: $*"
        sleep 0.5
    done
    checks=$((checks + 1))
}
for name in alpha beta gamma; do within 60 $engine exec $prefix-$name maille-worker status --dir /data; done
within 60 $engine exec $prefix-coordinator maille-coordinator status --dir /data
for name in coordinator alpha beta gamma; do # who runs in them, and with which limits; nothing can be written beside the volume
    pid=$(pid_of $prefix-$name)
    is 10001 "$(awk '$1 == "Uid:" { print $2 }' "/proc/$pid/status")" "$name's user"
    is 0000000000000000 "$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$pid/status")" "$name's capabilities"
    is 1 "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$pid/status")" "no new privileges in $name:"
    is ro "$(awk '$5 == "/" { print substr($6, 1, 2) }' "/proc/$pid/mountinfo")" "$name's root to be"
    is 64 "$(shaped $prefix-$name '{{.HostConfig.PidsLimit}}')" "$name's limit of processes"
    [ "$(shaped $prefix-$name '{{.HostConfig.Memory}}')" -ge 1073741824 ] || fail "expected a limit of memory of $name"
    $engine logs $prefix-$name 2>&1 | grep -q 'walls: seccomp' || fail "expected walls in $name"
    ! $engine logs $prefix-$name 2>&1 | grep -q 'stands in the folder' || fail "expected the credential elsewhere in $name"
done

# From a hospital's network: the coordinator's one port.
# A service of the host that listens everywhere.
python3 -c '
import socket, sys, time
s = socket.create_server(("0.0.0.0", 0))
print(s.getsockname()[1], flush=True)
time.sleep(600)' >"$toy/port" &
service=$!
within 10 grep -q . "$toy/port"
case $engine in podman*)
    for name in alpha beta gamma; do
        BRIDGE=$($engine network inspect --format '{{.NetworkInterface}}' $prefix-$name)
        bridges="$bridges $BRIDGE"
        # The host has no address in an internal network of CNI; it gets one here, and its service answers, until the rule is there.
        host=$(address coordinator $name | sed 's/[0-9]*$/1/')
        ip -4 addr show "$BRIDGE" | grep -q " $host/" || ip addr add "$host/24" dev "$BRIDGE"
        answers() { nsenter -t "$(pid_of $prefix-$name)" -n python3 -c "import socket; socket.create_connection(('$host', $(cat "$toy/port")), 1)" 2>/dev/null; }
        answers || fail "expected the host's service to answer before there is a rule"
        BRIDGE=$BRIDGE page network
        ! answers || fail "expected the rule to shut the host's service out"
    done
    ;;
esac
cat >"$toy/reach.py" <<'PYTHON'
import json, socket, sys
hosts, own = json.load(open(sys.argv[1])), sys.argv[2]
def reached(address, port, wait):
    try:
        socket.create_connection((address, port), wait).close()
        return True
    except OSError:
        return False
coordinator = hosts["coordinator"][own]
open_ports = [port for port in range(1, 65536) if reached(coordinator, port, 2)]
assert open_ports == [9700], f"expected port 9700 of the coordinator alone, found {open_ports}"
gateway = coordinator.rsplit(".", 1)[0] + ".1"
others = [a for h in hosts.values() for network, a in h.items() if network != own] + [gateway, "192.0.2.1", sys.argv[3]]
found = [(a, p) for a in others for p in (22, 53, 9700, int(sys.argv[4])) if reached(a, p, 0.5)]
assert not found, f"expected nothing else to answer, found {found}"
PYTHON
own_address=$(hostname -I | awk '{ print $1 }')
nsenter -t "$(pid_of $prefix-alpha)" -n python3 "$toy/reach.py" "$toy/hosts" alpha "${own_address:-127.0.0.2}" "$(cat "$toy/port")" || fail "expected alpha to reach one port alone"
kill $service
checks=$((checks + 1))

# --- the study; beta is killed in the middle of it, and comes back ---
ask() { # ask ARGUMENT…: alice, in the network analyst
    run --rm --name $prefix-asks --network $prefix-analyst --add-host "coordinator:$(address coordinator analyst)" --read-only --cap-drop=ALL \
        --security-opt=no-new-privileges --tmpfs /tmp -e XDG_STATE_HOME=/data/state -v "$toy/board:/data" -v "$toy/secrets/board:/run/secrets" maille \
        run /data/study.yaml --network /data/network.yaml --key /data/alice.key --credential /run/secrets/alice --json /data/result.json "$@"
}
compare() {
    python3 tests/compare.py "$toy/board/result.json" tests/vectors/rotterdam.demo.gold.json --rtol 1e-9 --field-rtol p_value=1e-7 \
        >"$toy/compared" || { grep -v '^OK' "$toy/compared" >&2; fail "expected what R gives on the pooled data"; }
    checks=$((checks + 1))
}
for try in 1 2 3 4 5; do # the study may be over before the container is
    : >"$toy/events"
    ask --timeout 120s --progress json --quiet >"$toy/out" 2>"$toy/events" &
    asking=$!
    within 60 grep -q '"round"' "$toy/events"
    $engine stop -t 0 $prefix-beta >/dev/null
    is false "$(shaped $prefix-beta '{{.State.Running}}')" "beta to run:"
    sleep 3
    grep -q '"ended"' "$toy/events" || break
    $engine start $prefix-beta >/dev/null
    wait $asking || { cat "$toy/events" >&2; fail "expected an answer"; }
    [ $try != 5 ] || fail "expected to stop beta while the study runs"
done
# It is open, and somebody waits for beta.
within 30 sh -c "tail -n 1 '$toy/events' | grep -q '\"for\".*beta'"
! grep -q '"ended"' "$toy/events" || fail "expected the question to be open while beta is away"
$engine start $prefix-beta >/dev/null
wait $asking || { cat "$toy/events" >&2; fail "expected an answer once beta is back"; }
grep -q '"ended"' "$toy/events" || fail "expected an end"
compare
python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(r["sites"] != 3)' "$toy/board/result.json" || fail "expected three sites in the answer"
tail -n 2 "$toy/compared"

# --- the page's one container in the place of alpha ---
$engine rm -f $prefix-alpha >/dev/null
echo "--network $prefix-alpha --add-host coordinator:$(address coordinator alpha)" >"$toy/flags"
page serve
within 60 $engine exec $prefix-site maille-worker status --dir /data
rm "$toy/board/result.json"
ask --timeout 60s --quiet
compare
page watch status
grep -q '^healthy$' "$toy/said" || { cat "$toy/said" >&2; fail "expected a container that is healthy"; }
page watch HUP
! $engine inspect $prefix-site >/dev/null 2>&1 || fail "expected the container to be gone"
run --rm -v "$toy:/data:ro" $hardened maille audit show --summary --network /data/board/network.yaml /data/sites/alpha/log /data/sites/beta/log /data/sites/gamma/log
echo "$checks checks; 1 passed, 0 failed"
