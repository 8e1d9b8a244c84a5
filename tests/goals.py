#!/usr/bin/env python3
"""docs/GOALS.md held against the messages and the tests, docs/DPIA.md and its French against the tests, docs/methods/faults.md against the tests and
vectors; tests/silence held against its patches.

goals.py BUILD     every kind of message of proto/message.h has its row; every test that a row names is one of BUILD's, and
                   every function in brackets behind it is one that a test runs; every patch of tests/silence/faults names a
                   test and has its row in tests/silence/README.md, and every row there its patch

Run from the root of the tree. Prints each fault on a line of its own; exit status 1 if there is one."""
import glob
import json
import os
import re
import subprocess
import sys


def rows(path, columns):
    for line in open(path, encoding="utf-8"):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and not set(cells[0]) <= set("- "):
            yield cells


def kinds():
    text = open("proto/message.h", encoding="utf-8").read()
    body = re.search(r"enum message_kind \{(.*?)\};", text, re.S)[1]
    return [k.lower() for k in re.findall(r"^\s+MESSAGE_([A-Z_]+)\s*=", body, re.M) if k != "KINDS"]


def tests(build):
    listed = subprocess.run(["ctest", "--test-dir", build, "-N"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^\s*Test\s+#\d+: (\S+)$", listed, re.M))


def functions():
    """What cmocka runs, by name."""
    found = set()
    for path in glob.glob("**/*_test.c", recursive=True):
        text = open(path, encoding="utf-8").read()
        found |= set(re.findall(r"(?:cmocka_unit_test\w*|TEST)\((\w+)", text))
    return found


def named_in(where):
    return re.findall(r"`([a-z0-9_.-]+)`(?: \(([^)]*)\))?", where)


def vectors():
    """{vector: names of its analyses}, of those that have R's numbers."""
    return {os.path.basename(path)[: -len(".gold.json")]: {a["id"] for a in json.load(open(path, encoding="utf-8"))["analyses"]}
            for path in glob.glob("tests/vectors/*.gold.json")}


def page(path, known, run, analyses={}):
    """Every row of a table "what | … | test" names a test that there is, or a vector and its analyses."""
    for what, goal, where in rows(path, 3):
        if where in ("test", "you", "vous") or "`" not in where and path != "docs/GOALS.md":
            continue
        if not named_in(where):
            yield f'{path} names no test of "{goal}"'
        for test, inside in named_in(where):
            if test not in known and test not in analyses:
                yield f"{path} names the test {test}, which there is not"
            for function in filter(None, re.split(r",\s*", inside)):
                if function not in analyses.get(test, run):
                    yield f"{path} names {function} of {test}, which no test runs"


def measures(path):
    """The tests of the table of measures, row by row."""
    return [named_in(where) for _, _, where in rows(path, 3) if named_in(where)]


def goals(build):
    known, run, told = tests(build), functions(), set()
    if not known or not run:
        yield f"expected tests in {build}, found none"
    for path in ("docs/GOALS.md", "docs/DPIA.md", "docs/DPIA.fr.md"):
        yield from page(path, known, run)
    yield from page("docs/methods/faults.md", known, run, vectors())
    if not measures("docs/DPIA.md") or measures("docs/DPIA.md") != measures("docs/DPIA.fr.md"):
        yield "docs/DPIA.md and docs/DPIA.fr.md name other tests"
    for message, _, _ in rows("docs/GOALS.md", 3):
        told |= set(re.findall(r"`([a-z_]+)`", message))
    for kind in kinds():
        if kind not in told:
            yield f"docs/GOALS.md has no row for the message `{kind}`"
    for kind in sorted(told - set(kinds())):
        yield f"docs/GOALS.md has a row for the message `{kind}`, which there is not"


def faults(build):
    known, listed = tests(build), set()
    for fix, patches, _ in rows("tests/silence/README.md", 3):
        listed |= set(re.findall(r"`([a-z-]+)`", patches))
    for path in sorted(glob.glob("tests/silence/faults/*.patch")):
        name = os.path.basename(path)[: -len(".patch")]
        test = re.search(r"^test: (\S+)$", open(path, encoding="utf-8").read(), re.M)
        if not test or test[1] not in known:
            yield f"{path}: expected a line \"test: NAME\" of a test that exists, found {test[1] if test else 'none'}"
        if name not in listed:
            yield f"tests/silence/README.md has no row for the patch {name}"
        listed.discard(name)
    for name in sorted(listed):
        yield f"tests/silence/README.md names the patch {name}, which there is not"


found = [*goals(sys.argv[1]), *faults(sys.argv[1])]
print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)
