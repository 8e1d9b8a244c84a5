# Goal: bash and zsh complete what --help lists, and man shows it without a warning. Usage: manual.sh FOLDER
set -eu
folder=$1
checks=0
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
for program in maille maille-worker maille-coordinator; do
    bash -n "$folder/$program.bash" || fail "bash cannot read $program.bash"
    # shellcheck disable=SC1090
    . "$folder/$program.bash"
    checks=$((checks + 1))
done

# completes FUNCTION WANTED WORD…: what bash offers for the last word.
completes() {
    function=$1 wanted=$2
    shift 2
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    "$function"
    [ "${COMPREPLY[*]}" = "$wanted" ] || fail "expected \"$wanted\" after \"$*\", found \"${COMPREPLY[*]}\""
    checks=$((checks + 1))
}
completes _maille 'run resume report' maille r
completes _maille '--json' maille run --j
completes _maille 'svg' maille report result.json --format s
completes _maille 'json' maille run --progress ''
completes _maille 'study dictionary methods' maille schema ''
completes _maille 'up run web kill restart down' maille sandbox ''
completes _maille 'docs/STUDY.md' maille check docs/STU
completes _maille '--synthetic' maille sandbox up --dir d --sy
completes _maille 'docs/decisions' maille sandbox up --dir docs/d # folders alone
completes _maille '' maille sandbox up --sites ''
completes _maille_worker '--dir' maille-worker serve --di
completes _maille_worker 'explain' maille-worker policy e
completes _maille_coordinator 'serve' maille-coordinator se

if command -v zsh >/dev/null; then
    for program in maille maille-worker maille-coordinator; do
        zsh -n "$folder/_$program" || fail "zsh cannot read _$program"
        # The walk to a group and to a command, with zsh's own helpers in place of its screen.
        found=$(zsh -f -c '
            _describe() { print -r -- "commands ${commands[1]}" }
            _arguments() { print -r -- "options $# from $CURRENT ${words[1]}" }
            compdef() { }
            source $1; shift
            words=($@ ""); CURRENT=$#words
            "_${1//-/_}"' zsh "$folder/_$program" "$program" serve 2>&1) || fail "zsh: $found"
        checks=$((checks + 1))
        case $program:$found in
            "maille:commands check:"*) ;; # it has no serve
            "maille-"*":options "*" from 2 serve") ;;
            *) fail "zsh: $program: $found" ;;
        esac
    done
fi
for program in maille maille-worker maille-coordinator; do
    page=$folder/$program.1
    if command -v mandoc >/dev/null; then
        said=$(mandoc -T lint -W warning "$page") || fail "mandoc: $said"
        [ -z "$said" ] || fail "mandoc: $said"
        checks=$((checks + 1))
    fi
    grep -q '^.SH EXIT STATUS' "$page" || fail "no exit status in $page"
done
grep -q '^.B maille sandbox up$' "$folder/maille.1" || fail "no sandbox up in maille.1"
echo "$checks checks passed"
