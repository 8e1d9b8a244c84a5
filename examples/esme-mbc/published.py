#!/usr/bin/env python3
"""A study's result beside what was published: published.py RESULT.json. Exit status 1 where they disagree. The network answers on a
grid of months: a median is told as the month in which it lies, and agrees where that month touches the published limits."""
import json
import math
import sys

MONTH = 30.4375
# Deluche et al. 2020; first line: Courtinard et al. 2023.
PUBLISHED = [("os-all", "", "39.5 (38.7-40.3)", 38.7, 40.3), ("os", "subtype=HR+/HER2-", "43.3 (42.5-44.5)", 42.5, 44.5),
             ("os", "subtype=HER2+", "50.1 (47.6-53.1)", 47.6, 53.1), ("os", "subtype=TN", "14.8 (14.1-15.5)", 14.1, 15.5),
             ("pfs", "subtype=TN", "6.0 (5.8-6.2)", 5.8, 6.2)]

with open(sys.argv[1], encoding="utf-8") as file:
    result = json.load(file)
analyses = {analysis["id"]: analysis for analysis in result["analyses"]}
bad = [a["id"] for a in result["analyses"] if a["status"] != "ok"]
if not result["synthetic"]:
    bad.append("synthetic")
print("Made-up patients. Medians in months:")
for name, stratum, published, least, greatest in PUBLISHED:
    curves = analyses[name]["result"]["curves"]
    curve = next(c for c in curves if c["stratum"] == stratum or (stratum == "" and len(curves) == 1))
    month = round(curve["median"] / MONTH)
    agrees = month - 1 <= greatest and month >= least
    bad += [] if agrees else [name + " " + stratum]
    print("  %-4s %-18s published %-18s here in month %d%s" %
          (name.split("-")[0], stratum.split("=")[-1] or "all", published, month, "" if agrees else ", which DIFFERS"))
ratios = {}
for name in ("crude", "iptw"):
    term = analyses[name]["result"]["terms"][0]
    ratios[name] = [math.exp(term[key]) for key in ("estimate", "conf_low", "conf_high")]
    print("  chemotherapy first, %-5s HR %.2f (%.2f-%.2f)" % (name, *ratios[name]))
print("  (in these made-up patients the choice of treatment changes nothing: the truth is 1)")
if not ratios["crude"][1] > 1 or not ratios["iptw"][1] < 1 < ratios["iptw"][2]:
    bad.append("iptw")
for term in analyses["cox"]["result"]["terms"]:
    if term["term"].startswith("bone_only"):
        ratio = math.exp(term["estimate"])
        print("  bone alone               published HR 0.68 (0.65-0.72)  here %.2f" % ratio)
        bad += [] if 0.63 <= ratio <= 0.73 else ["bone_only"]
if bad:
    print("differs:", ", ".join(bad))
sys.exit(bad != [])
