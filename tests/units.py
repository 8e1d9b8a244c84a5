#!/usr/bin/env python3
"""Holds the units of debian/ to what they promise: units.py UNIT…

systemd-analyze security, offline, at 2.0 or less; every system call that the program's own walls allow (base/wall.c, those of the
supervisor and of the coordinator) passes the unit's filter, but for those that only root makes; what the unit names is installed.
Exit status 1 with what is not so, 77 where systemd-analyze is not there."""
import re
import shutil
import subprocess
import sys

EXPOSURE_MAX = 2.0
# Only a supervisor that is root makes these, and the unit's is not; kill is for its own children.
ROOTS = {"setuid", "setgid", "setresuid", "setresgid", "setgroups", "fchown", "fchownat"}


def walls(profile):
    """Names of the calls whose row in base/wall.c has the profile, sets of profiles worked out as there."""
    text = open("base/wall.c", encoding="utf-8").read()
    sets = {name: {name} for name in re.findall(r"(\w+) = 1 << WALL_", text)}
    for name, of in re.findall(r"^    (\w+) = ([A-Z| ]+),?(?: /\*.*)?$", text, re.M):
        sets[name] = set().union(*(sets[part] for part in of.split(" | ")))
    allowed = set()
    for call, where in re.findall(r"\{SCMP_SYS\((\w+)\), ([^,]+), \w+\}", text):
        plus, _, minus = where.partition(" & ~")
        who = set().union(*(sets[part] for part in plus.split(" | "))) - (sets[minus] if minus else set())
        if profile in who:
            allowed.add(call)
    return allowed


def group(name):
    """The calls of a set such as @system-service, with those of the sets in it."""
    found = set()
    for line in subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True,
                               check=True).stdout.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            found |= group(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def passes(unit):
    allowed = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        away = value.startswith("~")
        for word in value.lstrip("~").split():
            calls = group(word) if word.startswith("@") else {word}
            allowed = allowed - calls if away else allowed | calls
    return allowed


def main():
    if shutil.which("systemd-analyze") is None:
        print("no systemd-analyze here")
        sys.exit(77)
    faults = []
    for path in sys.argv[1:]:
        unit = open(path, encoding="utf-8").read()
        said = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", path], capture_output=True,
                              text=True)
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
        if exposure is None:
            sys.exit(f"expected systemd-analyze to judge {path}, found: {said.stdout[-500:]}{said.stderr}")
        if float(exposure[1]) > EXPOSURE_MAX:
            faults.append(f"{path}: expected an exposure of {EXPOSURE_MAX} or less, found {exposure[1]}")
        profile = "HUB" if "coordinator" in path else "TOP"
        called = walls(profile)
        if len(called) < 80:
            sys.exit(f"expected base/wall.c to allow a hundred calls or so to {profile}, found {len(called)}")
        missing = sorted(called - passes(unit) - ROOTS)
        if missing:
            faults.append(f"{path}: the program's walls allow {', '.join(missing)}, SystemCallFilter= does not")
        print(f"{path}: exposure {exposure[1]}, {len(called)} calls of the program's walls pass its filter")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
