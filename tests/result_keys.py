#!/usr/bin/env python3
"""result_keys.py FEDERATE TMP: docs/RESULT.md names every key of the result file, and no other.

Keys in code: what stats/, report/ and agent/ add to a result by name, what report/json.c sets, and whatever stands in
the result files of some studies (federate). Keys in the document: the code words in the first column of its tables.
The study's own words (under `asked`) are the study language's."""
import glob
import json
import os
import re
import subprocess
import sys

ADD = re.compile(r'result_add(?:_[a-z]+)?\(\s*[^,;]+?,\s*"([a-z_0-9]+)"', re.S)
SET = re.compile(r'json_object_set(?:_new)?\(\s*[^,;]+?,\s*"([a-z_0-9]+)"', re.S)
PACK = re.compile(r'json_pack\((.*?)\)\)', re.S)
RUNS = [("tests/vectors/rotterdam.cuminc.study.yaml", []), ("tests/vectors/rotterdam.rate.study.yaml", []),
        ("tests/vectors/rotterdam.table1.study.yaml", []), ("tests/vectors/controls.models.study.yaml", []),
        ("tests/vectors/target.month.study.yaml", []),
        ("examples/rotterdam/all-methods.yaml", []),
        ("tests/vectors/rotterdam.shown.study.yaml", ["1", "tests/vectors/shown.policy.yaml"])]


def of_json(value, keys, origin):
    if isinstance(value, dict):
        for key, inner in value.items():
            keys.setdefault(key, origin)
            if key != "asked":
                of_json(inner, keys, origin)
    elif isinstance(value, list):
        for inner in value:
            of_json(inner, keys, origin)


def in_code(federate, tmp):
    keys = {}
    for name in sorted(glob.glob("stats/*.c") + glob.glob("report/*.c") + ["agent/agent.c"]):
        if name.endswith("_test.c"):
            continue
        text = open(name, encoding="utf-8").read()
        found = ADD.findall(text) + SET.findall(text)
        for pack in PACK.findall(text):
            found += re.findall(r'"([a-z_]+)"', pack)
        for key in found:
            keys.setdefault(key, name)
    for study, more in RUNS:
        out = os.path.join(tmp, "result.json")
        data = os.path.basename(study).split(".")[0] if "vectors" in study else "rotterdam"
        subprocess.run([federate, data, study, "6", "1", out, *more], check=True,
                       stdout=subprocess.DEVNULL)
        of_json(json.load(open(out, encoding="utf-8")), keys, study)
    return keys


def in_document():
    keys = set()
    for line in open("docs/RESULT.md", encoding="utf-8"):
        if line.startswith("| `"):
            keys.update(re.findall(r"`([a-z_0-9]+)`", line.split("|")[1]))
    return keys


def main():
    code, document = in_code(*sys.argv[1:3]), in_document()
    for key in sorted(set(code) - document):
        print(f"docs/RESULT.md has no row for `{key}`, which {code[key]} writes")
    for key in sorted(document - set(code)):
        print(f"docs/RESULT.md names `{key}`, which nothing writes")
    print(len(document), "keys")
    return 1 if set(code) != document else 0


if __name__ == "__main__":
    sys.exit(main())
