#!/usr/bin/env python3
"""What the folders promise, held against what the files do.

layout.py may_include        every include goes to a room or a package that the room's .may_include names, every
                             grant there is used, and the table of rooms in docs/ARCHITECTURE.md says the same
layout.py symbols BUILD      no two rooms export one name, and every exported name begins with its room's, its
                             file's or one of its types' names
layout.py flags BUILD        every file is compiled without contraction and with nothing that lets the compiler change a
                             floating-point operation (Bit rule 9)
layout.py lines              no room has more lines of C than tests/ceilings.txt allows; its tests are not counted

Run from the root of the tree. Prints each fault on a line of its own; exit status 1 if there is one."""
import collections
import glob
import json
import os
import re
import subprocess
import sys

NOT_ROOMS = {"build", "tests", "clients"}  # tests look at all rooms


def rooms():
    """{room: (set of rooms, set of packages)} as the .may_include files grant them."""
    granted = {}
    for path in sorted(glob.glob("*/.may_include")):
        lines = [line.split() for line in open(path, encoding="utf-8") if not line.startswith("#")]
        granted[os.path.dirname(path)] = ({w[1] for w in lines if w[:1] == ["room"]},
                                          {w[1] for w in lines if w[:1] == ["package"]})
    return granted


def sources(folder):
    return sorted(glob.glob(folder + "/**/*.[ch]", recursive=True))


def includes(path):
    """(headers in quotes, headers in angle brackets)"""
    text = open(path, encoding="utf-8").read()
    return (re.findall(r'^#\s*include\s*"([^"]+)"', text, re.M), re.findall(r"^#\s*include\s*<([^>]+)>", text, re.M))


def may_include():
    granted = rooms()
    doors = set().union(*(packages for _, packages in granted.values()))
    for room, (may, packages) in granted.items():
        used, used_packages = set(), set()
        for path in sources(room):
            ours, theirs = includes(path)
            for header in ours:
                if header.endswith(".pb-c.h"):
                    used_packages.add("protobuf-c/protobuf-c.h")
                    if room != "proto":
                        yield f"{path} includes {header}: generated headers are read in proto/ alone"
                    continue
                other = header.split("/")[0]
                used.add(other)
                if other != room and other not in may:
                    yield f'{path} includes "{header}": {room}/.may_include does not name the room {other}'
            for header in theirs:
                used_packages.add(header)
                if header in doors and header not in packages:
                    yield f"{path} includes <{header}>: {room} is not the door of that package"
        for other in sorted(may - used):
            yield f"{room}/.may_include names the room {other}, and no file there includes it"
        for package in sorted(packages - used_packages):
            yield f"{room}/.may_include names <{package}>, and no file there includes it"
    for folder in sorted(next(os.walk("."))[1]):
        if folder not in NOT_ROOMS and folder not in granted and glob.glob(folder + "/*.c"):
            yield f"{folder}/ holds C files and has no .may_include"
    yield from architecture(granted)


def architecture(granted):
    """The rows "| `room/` | uses | … |" of docs/ARCHITECTURE.md."""
    said = {}
    for line in open("docs/ARCHITECTURE.md", encoding="utf-8"):
        row = re.match(r"\| `([a-z_]+)/` \| ([^|]*) \|", line)
        if row:
            said[row[1]] = set(re.findall(r"[a-z_]+", row[2]))
    for room, (may, _) in granted.items():
        if room == "bench":  # looks at all rooms, as tests do
            continue
        if room not in said:
            yield f"docs/ARCHITECTURE.md has no row for {room}/"
        elif said[room] != may:
            yield (f"docs/ARCHITECTURE.md says that {room}/ uses {' '.join(sorted(said[room])) or 'nothing'}, "
                   f"{room}/.may_include grants {' '.join(sorted(may)) or 'nothing'}")
    for room in sorted(set(said) - set(granted)):
        yield f"docs/ARCHITECTURE.md has a row for {room}/, which is no room"


def exported(archive):
    """(file, name) of everything that an archive defines for others."""
    member = ""
    for line in subprocess.run(["nm", "-g", "--defined-only", archive], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        words = line.split()
        if line.endswith(":"):
            member = line[:-1].split(".")[0]
        elif len(words) == 3 and not words[2].startswith("__"):  # sanitizers' own
            yield member, words[2]


def prefixes(room, member):
    """What a name of this file may begin with."""
    parts = member.split("_")
    stems = {"_".join(parts[: k + 1]) for k in range(len(parts))}
    types = set()
    for path in sources(room):
        if path.endswith(".h"):
            types |= set(re.findall(r"\b(?:struct|union|enum)\s+([a-z_0-9]+)\s*[{;]", open(path, encoding="utf-8").read()))
    return {room} | stems | types | ({"maille"} if room == "base" else set())


def symbols(build):
    homes = collections.defaultdict(set)
    for archive in sorted(glob.glob(build + "/**/libmaille_*.a", recursive=True)):
        room = os.path.basename(archive)[len("libmaille_"):-2]
        known = {}
        for member, name in exported(archive):
            homes[name].add(room)
            if member == "maille":  # maille.pb-c.c is generated
                continue
            if member not in known:
                known[member] = prefixes(room, member)
            if not any(name == p or name.startswith(p + "_") for p in known[member]):
                yield f"{room}/{member}.c exports {name}: expected a name that begins with {room}_ or {member}_"
    if not homes:
        yield f"expected the archives of the rooms under {build}, found none"
    for name, where in sorted(homes.items()):
        if len(where) > 1:
            yield f"{name} is exported by {' and by '.join(sorted(where))}"


def lines():
    ceilings = {}
    for line in open("tests/ceilings.txt", encoding="utf-8"):
        words = line.split(None, 2)
        if words and not line.startswith("#"):
            ceilings[words[0]] = int(words[1])
    for room in rooms():
        n = sum(open(path, encoding="utf-8").read().count("\n") for path in sources(room)
                if not path.endswith("_test.c"))
        if room not in ceilings:
            yield f"tests/ceilings.txt has no line for {room}, which has {n} lines of C"
        elif n > ceilings[room]:
            yield (f"{room}/ has {n} lines of C, its ceiling is {ceilings[room]}: take something out, or raise it in "
                   "tests/ceilings.txt and say there why")
    for room in sorted(set(ceilings) - set(rooms())):
        yield f"tests/ceilings.txt has a line for {room}, which is no room"


# What changes a bit or lets the compiler change one; what follows -f stands without "no-".
LOOSE = re.compile(r"-(Ofast|ffast-math|funsafe-math-optimizations|fassociative-math|freciprocal-math|ffinite-math-only"
                   r"|fno-signed-zeros|frounding-math|fsingle-precision-constant|ffloat-store|fcx-limited-range"
                   r"|mfpmath=(?!sse)\S*|m32|mx32|mrecip\S*|m(no-)?sse\S*|ffp-model=\S*|ffp-contract=(?!off)\S*)$")


def flags(build):
    """Over the compiler's own command lines (build/compile_commands.json)."""
    commands = json.load(open(build + "/compile_commands.json", encoding="utf-8"))
    if not commands:
        yield f"expected commands in {build}/compile_commands.json, found none"
    for command in commands:
        words = command["command"].split()
        path = os.path.relpath(command["file"])
        if "-ffp-contract=off" not in words or "-fno-fast-math" not in words:
            yield f"{path} is compiled without -ffp-contract=off or -fno-fast-math"
        for word in words:
            if LOOSE.match(word):
                yield f"{path} is compiled with {word}"


def main():
    checks = {"may_include": may_include, "symbols": symbols, "lines": lines, "flags": flags}
    if len(sys.argv) < 2 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    faults = list(checks[sys.argv[1]](*sys.argv[2:]))
    print("\n".join(faults) if faults else "all as it should be")
    sys.exit(1 if faults else 0)


main()
