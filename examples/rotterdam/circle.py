#!/usr/bin/env python3
"""What becomes of a study where the data are not public: circle.py OPEN.json CIRCLE.json, two results of one study over the same
patients, the first in agent mode. Says of each analysis what changed and why. Exit status 1 where nothing explains a change."""
import json
import sys
import textwrap

with open(sys.argv[1], encoding="utf-8") as file:
    before = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    after = json.load(file)
if (before["mode"], after["mode"]) != ("agent", "circle"):
    sys.exit("circle.py: expected a result in agent mode and one of the circle, found %s and %s" % (before["mode"], after["mode"]))


def numbers(value, path=()):
    """Every number in a result, by where it stands. (Where steps were joined is a fact of the circle alone.)"""
    if isinstance(value, dict):
        return {p: v for key, inner in value.items() if key != "grid_edges" for p, v in numbers(inner, path + (key,)).items()}
    if isinstance(value, list):
        return {p: v for i, inner in enumerate(value) for p, v in numbers(inner, path + (i,)).items()}
    return {path: value} if isinstance(value, (int, float)) and not isinstance(value, bool) else {}


def moved(a, b):
    """By how much of its standard error a coefficient moved at the most; None: there are none."""
    terms = zip(a["result"].get("terms", []), b["result"].get("terms", []))
    shifts = [abs(x["estimate"] - y["estimate"]) / x["std_error"] for x, y in terms if x.get("std_error") and y.get("estimate") is not None]
    return max(shifts, default=None)


same, fewer, other, refused, unexplained = [], [], [], [], []
later = {analysis["id"]: analysis for analysis in after["analyses"]}
for a in before["analyses"]:
    b = later[a["id"]]
    if b["status"] != "ok":
        refused.append((a["id"], "%s: %s" % (b["rule"], b["reason"])))
        continue
    old, new = numbers(a["result"]), numbers(b["result"])
    withheld = [path for path in old if path not in new]
    changed = [path for path in old if path in new and old[path] != new[path]]
    why = [w for w in b["warnings"] if w not in a["warnings"]]
    if withheld and not changed and not why and all(path[-1] in ("missing", "n_missing") for path in withheld):
        why = ["how many values are missing is told where they are enough: fewer than `min_cell`, perhaps none"]
    if (withheld or changed) and not why:
        unexplained.append(a["id"])
    if changed:
        shift = moved(a, b)
        what = "%d of %d numbers" % (len(changed), len(old))
        what += "" if shift is None else "; no coefficient moves by more than %.2f of its standard error" % shift
        what += "; %d are withheld" % len(withheld) if withheld else ""
        other.append((a["id"], ": ".join([what, "; ".join(why[:2])])))
    elif withheld:
        fewer.append((a["id"], "%d of %d numbers: %s" % (len(withheld), len(old), "; ".join(why[:2]))))
    else:
        same.append(a["id"])


def say(title, rows):
    print("\n  %s:" % title if rows else "", end="\n" if rows else "")
    for name, words in rows:
        print(textwrap.fill(words, 96, initial_indent="    %-11s " % name, subsequent_indent=" " * 16, break_on_hyphens=False))


print(textwrap.fill("Before, every centre's data were public: this machine opened the totals, and every number is R's. Now each centre's policy "
                    "is `standard`: the centres opened the totals, each for itself, had to come to the same state, and this machine received "
                    "results alone. %d rounds instead of %d (head counts are judged first), %.1f MB of masked sums a centre instead of %.1f." %
                    (after["rounds"], before["rounds"], after["bytes"] / 1e6, before["bytes"] / 1e6), 100))
print("\n  The same, to the last bit:")
print(textwrap.fill(", ".join(same), 96, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False))
say("The same, and some numbers withheld", fewer)
say("Other numbers", other)
say("Refused", refused)
for name in unexplained:
    print("\n  %s: expected a sentence that says why it changed, found none" % name)
sys.exit(1 if unexplained or not same else 0)
