#!/bin/sh
# layout.names: every file that a comment or a page of the docs names is in the repository, and every section of a page is in the page.
# A name with a folder stands for itself, from the root or from the file that names it; of a page without one, in docs/ too; any other
# name without a folder may be of any folder.
set -eu
cd "${1:-.}"
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
find . -name build -prune -o -name .git -prune -o -name node_modules -prune -o -type f -print | sed 's|^\./||' >"$tmp/files"
# What is somebody else's: the sources of R and its packages, of the C library, of libraries.
cat >"$tmp/elsewhere" <<'END'
agfit4.c
agscore3.c
concordance3.c
coxfit6.c
coxscore2.c
survdiff2.c
survfitkm.c
src/library/stats/src/model.c
deparse.c
format.c
e_exp.c
e_log.c
lz4_Block_format.md
lz4_Frame_format.md
lz4frame.h
H5Zlz4.c
H5Zpublic.h
sqlite3.h
zmq.h
END
# FILE:NAME and FILE:NAME §SECTION, in comments of C, CMake, shell, R and Python, and in all of a page. NAME, ROOM and foo stand for any name;
# *.pb-c.c is made by the build.
grep -E '\.(c|h|proto|md|sh|py|R|cmake)$|CMakeLists\.txt$|^scripts/' "$tmp/files" | grep -v '^tests/names\.sh$' | xargs perl -0777 -ne '
    my $text = $_;
    if ($ARGV =~ /\.(?:c|h|proto)$/) { $text = join("\n", m~/\*.*?\*/|//[^\n]*~gs) }
    elsif ($ARGV !~ /\.md$/) { $text = join("\n", /(?:^|\s)(#[^\n]*)/g) }
    $text =~ s~https?://\S+~~g;
    while ($text =~ m~(?<![\w./\$*%}-])((?:[\w.-]+/)*[\w-]+(?:\.[\w-]+)*\.(?:md|c|h|sh|py|R|proto|cmake))(?![\w(*/-])((?:\)|\])*(?:\([^)]*\))?[\s*]*§[\s*]*(\d+))?~g) {
        next if $1 =~ /\b(?:NAME|ROOM)\b|_NAME\.|\bNAME_|\bROOM_|\bfoo[._]|\.pb-c\.[ch]$/;
        print "$ARGV:$1", defined $3 ? " §$3" : "", "\n";
    }' | sort -u >"$tmp/named"
awk -F: -v files="$tmp/files" -v elsewhere="$tmp/elsewhere" '
    BEGIN {
        while ((getline line < files) > 0) { there[line] = 1; n = split(line, part, "/"); base[part[n]] = 1 }
        while ((getline line < elsewhere) > 0) other[line] = 1
    }
    function tidy(path,   again) {
        do { again = path; gsub(/\/\.\//, "/", path); sub(/^\.\//, "", path); sub(/[^\/]+\/\.\.\//, "", path) } while (again != path)
        return path
    }
    function has(page, section,   line, found) {
        found = 0
        while ((getline line < page) > 0)
            if (index(line, "# " section ".") > 0 && line ~ /^#+ /) found = 1
        close(page)
        return found
    }
    {
        folder = $1
        sub(/[^\/]*$/, "", folder)
        name = $2
        section = ""
        if (match(name, / §/)) { section = substr(name, RSTART + RLENGTH); name = substr(name, 1, RSTART - 1) }
        path = there[tidy(name)] ? tidy(name) : there[tidy(folder name)] ? tidy(folder name) : there["docs/" name] ? "docs/" name : ""
        if (path == "" && !other[name] && !(name !~ /\// && name !~ /\.md$/ && base[name])) {
            print $1 ": expected a file of the repository, found the name " name
            bad = 1
        } else if (path != "" && section != "" && !has(path, section)) {
            print $1 ": expected a section " section " of " path ", found none"
            bad = 1
        }
    }
    END { exit bad }' "$tmp/named" && echo "$(wc -l <"$tmp/named") names, each of a file of the repository"
