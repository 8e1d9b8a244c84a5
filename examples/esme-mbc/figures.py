#!/usr/bin/env python3
"""What ESME has published, beside what the made-up registry has: figures.py DIR (of maille-worker synth). Exit status 1 where a
figure is outside of its limits. Medians by Kaplan and Meier, in months of 30.4375 days."""
import csv
import sys

MONTH = 30.4375


def survival(rows, time, event):
    """[(time, S)] by Kaplan and Meier."""
    times = {}
    for row in rows:
        leaving = times.setdefault(int(row[time]), [0, 0])
        leaving[row[event] != "1"] += 1
    at_risk, s, steps = len(rows), 1.0, []
    for t in sorted(times):
        events, censored = times[t]
        if events:
            s *= 1 - events / at_risk
            steps.append((t, s))
        at_risk -= events + censored
    return steps


def median(rows, time="os", event="death"):
    return next(t for t, s in survival(rows, time, event) if s <= 0.5) / MONTH


def main():
    with open(sys.argv[1] + "/patients.csv", encoding="utf-8") as file:
        patients = list(csv.DictReader(file))
    with open(sys.argv[1] + "/lines.csv", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    of = {name: [p for p in patients if p["subtype"] == name] for name in ("HR+/HER2-", "HER2+", "TN", "undetermined")}
    n = len(patients)
    five_years = [s for t, s in survival(patients, "os", "death") if t <= 60 * MONTH][-1]
    ages = sorted(int(p["age"]) for p in patients)
    figures = [  # name, published, least, greatest, found
        ("patients", "22,109", 22109, 22109, n),
        ("share HR+/HER2-, %", "61.8", 60.8, 62.8, 100 * len(of["HR+/HER2-"]) / n),
        ("share HER2+, %", "18.2", 17.2, 19.2, 100 * len(of["HER2+"]) / n),
        ("share triple negative, %", "13.4", 12.4, 14.4, 100 * len(of["TN"]) / n),
        ("median survival, months", "39.5 (38.7-40.3)", 38.7, 40.3, median(patients)),
        ("alive at 5 years, %", "33.8", 32.8, 34.8, 100 * five_years),
        ("median survival HR+/HER2-", "43.3 (42.5-44.5)", 42.5, 44.5, median(of["HR+/HER2-"])),
        ("median survival HER2+", "50.1 (47.6-53.1)", 47.6, 53.1, median(of["HER2+"])),
        ("median survival triple negative", "14.8 (14.1-15.5)", 14.1, 15.5, median(of["TN"])),
        ("first line, progression-free, HR+/HER2-", "11.6-11.9 by age", 11.3, 12.3, median(of["HR+/HER2-"], "pfs", "progression")),
        ("first line, progression-free, HER2+", "12.9-13.3 by age", 12.4, 13.8, median(of["HER2+"], "pfs", "progression")),
        ("first line, progression-free, triple negative", "6.0 (5.8-6.2)", 5.8, 6.2, median(of["TN"], "pfs", "progression")),
        ("median age, years", "60", 59, 61, ages[n // 2]),
        ("bone alone, HR+/HER2-, %", "31.0", 29.5, 32.5, 100 * sum(p["bone_only"] == "1" for p in of["HR+/HER2-"]) / len(of["HR+/HER2-"])),
        ("bone alone, triple negative, %", "10.0", 8.5, 11.5, 100 * sum(p["bone_only"] == "1" for p in of["TN"]) / len(of["TN"])),
        ("centres", "18", 18, 18, len({p["centre"] for p in patients})),
    ]
    bad = 0
    print("| figure | published | here |\n| --- | --- | --- |")
    for name, published, least, greatest, found in figures:
        shown = "%d" % found if isinstance(found, int) else "%.1f" % found
        wrong = not least <= found <= greatest
        bad += wrong
        print("| %s | %s | %s%s |" % (name, published, shown, " (outside)" if wrong else ""))
    # Lines follow each other within the follow-up, and every patient has a first one.
    by_patient = {}
    for line in lines:
        by_patient.setdefault(line["pid"], []).append(line)
    for p in patients:
        own = by_patient.get(p["pid"], [])
        good = bool(own) and own[0]["begin"] == p["date_met"] and own[0]["class"] == p["first_line"]
        good = good and all(line["begin"] <= line["end"] <= p["last_news"] for line in own)
        good = good and all(a["end"] == b["begin"] and int(b["line"]) == int(a["line"]) + 1 for a, b in zip(own, own[1:]))
        if not good:
            bad += 1
            print("lines of %s do not follow each other within its follow-up" % p["pid"])
            break
    return bad != 0


sys.exit(main())
