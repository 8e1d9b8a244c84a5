#!/usr/bin/env python3
"""methods.py: layout.methods: every method that a file of stats/ declares stands in every list that a reader or a test goes by, and no
list names another. What is missing is named. docs/ADDING_A_METHOD.md goes through these lists one by one."""
import glob
import os
import re
import sys

PAGE_PARTS = ["**Vectors.**", "**Worked example**"]


def text(path):
    return open(path, encoding="utf-8").read() if os.path.exists(path) else ""


def declared():
    """Name → file that declares it."""
    names = {}
    for path in sorted(glob.glob("stats/*.c")):
        for name in re.findall(r'\.declared = \{\s*\.name = "([a-z_0-9]+)"', text(path)):
            names[name] = path
    return names


def studies():
    """The methods of every study that has numbers of R beside it: DATA.NAME.gold.json."""
    found = set()
    for gold in glob.glob("tests/vectors/*.gold.json"):
        vector = os.path.basename(gold)[:-len(".gold.json")]
        data, name = vector.split(".", 1)
        for path in (f"tests/vectors/{vector}.study.yaml", f"examples/{data}/{name}.yaml", f"examples/{data}/study.yaml"):
            if os.path.exists(path):
                found |= set(re.findall(r"\bmethod:\s*([a-z_0-9]+)", text(path)))
                break
    return found


def main():
    names, faults = declared(), []
    readme = re.search(r"^Methods: .*?\n\n", text("README.md"), re.S | re.M)
    pages = set(re.findall(r"\]\(([a-z0-9_]+)\.md\)", text("docs/methods/README.md")))
    measured = re.search(r"^\| method \|.*?\n\n", text("docs/methods/README.md"), re.S | re.M)
    table = set(re.findall(r"^\| ([a-z0-9_]+) \|", measured.group() if measured else "", re.M))
    heads = set(re.findall(r"`([a-z0-9_]+)`", "".join(line.split("|")[1] for line in text("docs/methods/disclosure.md").splitlines()
                                                if line.startswith("| `"))))
    listed = set(re.findall(r"&method_([a-z_0-9]+),", text("stats/methods.c")))
    samples = set(re.findall(r"\{ id: ([a-z_0-9]+), method: \1,", text("worker/policy.c")))
    properties = set(re.findall(r'^    \{"([a-z_0-9]+)",', text("tests/property.h"), re.M))
    networks = set(re.findall(r'^    \{"[a-z_0-9-]+",?\s+"method: ([a-z_0-9]+),', text("tests/network/hold_test.c"), re.M))
    vectors = studies()

    def expect(there, what):
        if not there:
            faults.append(what)

    expect(len(names) >= 16, f"expected 16 methods or more in stats/, found {len(names)}: does the pattern still fit?")
    for name, path in sorted(names.items()):
        page = text(f"docs/methods/{name}.md")
        for there, what in [
            (path == f"stats/{name}.c", f"stats/{name}.c declares the method {name}, found {path}"),
            (name in listed, f"stats/methods.c has &method_{name} in methods_all"),
            (os.path.exists(f"stats/{name}_test.c"), f"stats/{name}_test.c tests {name} over the six patients"),
            (page != "", f"docs/methods/{name}.md is its page"),
            (readme and re.search(rf"\b{name}\b", readme.group()), f"README.md names {name} in its paragraph `Methods:`"),
            (name in pages, f"docs/methods/README.md links [{name}]({name}.md)"),
            (name in table, f"docs/methods/README.md has a row of {name} in its table (tests/vectors/differences.py prints it)"),
            (name in heads, f"docs/methods/disclosure.md has a row of {name}: its head counts, and what fails"),
            (name in properties, f"tests/property.h has analyses of {name}"),
            (name in networks, f"tests/network/hold_test.c asks {name} of whole networks"),
            (name in samples, f"worker/policy.c has a question of {name} in its sample, which `policy explain` shows"),
            (name in vectors, f"tests/vectors/ has a study of {name} with R's numbers"),
        ] + [(part in page, f"docs/methods/{name}.md has {part}") for part in PAGE_PARTS if page]:
            expect(there, f"{name}: expected that {what}")
    for what, others in [("stats/methods.c", listed), ("tests/property.h", properties), ("worker/policy.c", samples), ("docs/methods/README.md", table - {"method"})]:
        for other in sorted(others - set(names)):
            faults.append(f"{what} names {other}, which no file of stats/ declares")
    for fault in faults:
        print(fault)
    print(f"{len(names)} methods, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
