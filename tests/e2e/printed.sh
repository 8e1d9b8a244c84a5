# Goal: the commands that init and rekey print work as they are printed, also where the names of folders have blanks and apostrophes.
. tests/e2e/lib.sh
PATH=$bin:$PATH
where="$tmp/Hospital's own"
mkdir "$where"
cp examples/rotterdam/dictionary.yaml "$where/DICT.yaml"
cp examples/rotterdam/rotterdam.csv "$where/FILE.csv"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# printed NAME: the commands among the words of NAME, run in order; `serve` is left running.
printed() {
    sed -n 's/^  \(cp \|maille\)/\1/p' "$where/$1.words" >"$where/$1.commands"
    while read -r command; do
        case $command in
        *' serve '*)
            (cd "$where" && eval "exec $command") >"$where/$1.log" 2>&1 </dev/null &
            strays="$strays $!" last=$!
            ;;
        *) (cd "$where" && eval "$command") >"$tmp/said" 2>&1 </dev/null || { cat "$tmp/said"; fail "expected success: $command"; } ;;
        esac
        checks=$((checks + 1))
    done <"$where/$1.commands"
}
board() { "$maille" network "$@" >"$tmp/said" 2>&1 || { cat "$tmp/said"; fail "network $*"; }; }
sign() { board sign --network "$where/network.yaml" --key "$where/board/board.key" --credential "$where/board.credential"; }

maille-coordinator init --dir "$where/hub" --name hub --endpoint "tcp://127.0.0.1:$port" --credential "$where/hub's" >/dev/null 2>"$where/hub.words"
maille-worker init --dir "$where/site a" --name a --credential "$where/a's credential" >/dev/null 2>"$where/a.words"
"$maille" keygen --role authority --name board --out "$where/board" --credential "$where/board.credential" >/dev/null 2>&1
board init --network "$where/network.yaml" --name printed --endpoint "tcp://127.0.0.1:$port" --coordinator "$where/hub/coordinator.pub" \
    --purposes research-public-interest "$where/board/board.pub"
board add --network "$where/network.yaml" --legal-entity A "$where/site a/site.pub"
sign
printed hub
printed a
[ "$(wc -l <"$where/a.commands")" = 4 ] && [ "$(wc -l <"$where/hub.commands")" = 2 ] || fail "expected 4 commands of a site, 2 of a coordinator"
well() { maille-worker status --dir "$where/site a"; }
wait_for 30 well

# Other keys.
maille-worker rekey --dir "$where/site a" --credential "$where/a's credential" --new-credential "$where/a's next" >/dev/null 2>"$where/rekey.words"
board rekey --network "$where/network.yaml" "$where/site a/next/site.pub"
sign
kill "$last"
wait "$last" || true
printed rekey
says 0 '' test ! -e "$where/site a/next"

# A site that has the directory from the beginning is not told to copy it.
maille-worker init --dir "$where/b" --name b --network "$where/network.yaml" --credential "$where/b.credential" >/dev/null 2>"$where/b.words"
! grep -q 'cp network.yaml' "$where/b.words" || fail "expected no copy of what is there"
done_well
