#!/usr/bin/env python3
"""Bit rule 9 (docs/decisions/0002-exact-sums.md): the same totals give the same bytes, whatever built and whatever runs the program.

same_bytes.py TMP [--all] FEDERATE…

Every method's vectors go through every federate that is given, as it is, without vector instructions (MAILLE_SCALAR=1), and with
libm's code for a CPU without AVX2 and FMA (GLIBC_TUNABLES). Compared byte for byte: the plan of the threshold rounds; after every
step of every analysis status, θ and memo; and the result file, in which only what Rmath gives may differ, by 1e-9 of it. Without
--all: one vector of each method. Run from the root of the tree; exit status 1 where bytes differ.

The federates are those of build/dev (gcc), build/clang, and of scripts/test --all build/gcc-fma and build/clang-fma, which have the
instructions of x86-64-v3 (with FMA and AVX2) wherever the compiler likes them."""
import glob
import json
import os
import re
import subprocess
import sys

RMATH = re.compile(r"(^|_)(p|p_value|conf_low|conf_high|low|high)$")
NEAR = 1e-9
WAYS = {"": {}, "scalar": {"MAILLE_SCALAR": "1"},
        "libm without FMA": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-FMA4"}}
FAST = ["rotterdam.all-methods", "causes.finegray", "modeledges.models"]


def study_of(vector):
    data, _, name = vector.partition(".")
    path = f"tests/vectors/{vector}.study.yaml"
    return data, path if os.path.exists(path) else f"examples/{data}/{name}.yaml"


def cases(every):
    """(vector, further arguments): without thresholds over three sites; with those of `standard` and `strict` over six."""
    vectors = sorted(os.path.basename(p)[: -len(".gold.json")] for p in glob.glob("tests/vectors/*.gold.json"))
    for vector in vectors if every else FAST:
        if os.path.exists(study_of(vector)[1]):
            yield vector, ["3", "1"], []
    yield "rotterdam.all-methods", ["6", "1"], ["standard"]
    if every:
        yield "rotterdam.all-methods", ["6", "1"], ["strict"]
        yield "rotterdam.demo" if os.path.exists(study_of("rotterdam.demo")[1]) else "rotterdam.cox", ["6", "1"], ["standard"]


def run(federate, way, case, tmp):
    vector, split, policy = case
    data, study = study_of(vector)
    out, steps = tmp + "/result.json", tmp + "/steps.txt"
    environment = dict(os.environ, **WAYS[way])
    done = subprocess.run([federate, data, study, *split, out, *policy, "steps=" + steps], env=environment, capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(f"{vector} by {federate} {way}: {done.stderr.strip()}")
    with open(steps, encoding="utf-8") as a, open(out, encoding="utf-8") as b:
        return a.read(), json.load(b)


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        for key in one:
            yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other)):
            yield from differences(a, b, f"{path}[{i}]" if not RMATH.search(path) else path)
    elif repr(one) != repr(other):
        name = path.rsplit(".", 1)[-1]
        near = isinstance(one, float) and isinstance(other, float) and abs(one - other) <= NEAR * abs(one)
        if not (near and RMATH.search(name)):
            yield f"{path}: {one!r} and {other!r}"


def first_difference(one, other):
    for a, b in zip(one.splitlines(), other.splitlines()):
        if a != b:
            return " ".join(a.split(" ", 5)[:3])
    return "the number of lines"


def main():
    every = "--all" in sys.argv
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    if len(arguments) < 2:
        sys.exit(__doc__)
    tmp, federates = arguments[0], arguments[1:]
    os.makedirs(tmp, exist_ok=True)
    faults = lines = n = 0
    for case in cases(every):
        steps, result = run(federates[0], "", case, tmp)
        if "theta" not in steps:
            sys.exit(f"expected steps of {case[0]}, found none")
        lines += steps.count("\n")
        for federate in federates:
            for way in WAYS:
                if federate == federates[0] and way == "":
                    continue
                n += 1
                others, other = run(federate, way, case, tmp)
                found = list(differences(result, other))
                if others != steps:
                    found.insert(0, "steps differ, first in: " + first_difference(steps, others))
                for line in found[:5]:
                    print(f"{case[0]} {' '.join(case[2])}: {federates[0]} beside {federate} {way}: {line}")
                faults += bool(found)
    print(f"{lines} plans and steps, {n} runs of {len(federates)} program(s) beside them: {faults} with other bytes")
    sys.exit(1 if faults else 0)


main()
