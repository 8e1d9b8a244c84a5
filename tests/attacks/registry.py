"""The registry that is attacked: wards of patients, in each at most one target whom the enemy knows everything of but the outcome.

Every way to spell an attack has a ward of its own, or two that differ in one fact of the target alone (is she there, did she die). So no
attack stands in another's way, and what the sites say of the one ward can be held against what they say of the other.
"""
import csv
import random

SITES = "abcdef"  # one hospital for each; the target is at c

# Known of the target, and of nobody else in her ward: T. Nobody in any ward is N.
T = 'dept == "d" && hist == "other"'
N = 'dept == "e" && hist == "other"'
T_NUMBERS = "age == 47 && year == 2013"
TARGET = {
    "age": 47, "year": 2013, "dept": "d", "hist": "other", "grade": "3", "bmi": 31.4, "ps": 3, "mets": 4, "line": 5, "hr": 0,
    "her2": 1, "chemo": 1, "lab": 88, "ptime": 412, "prog": 1, "time": 983, "death": 1, "cause": "cancer",
}

DICTIONARY = """dictionary: wards
version: 1
key: pid
missing: ["", "NA"]
variables:
  - {{ name: hospital, type: category, levels: [a, b, c, d, e, f] }}
  - {{ name: ward, type: category, levels: [{wards}] }}
  - {{ name: age, type: integer, units: years, min: 18, max: 110, role: quasi }}
  - {{ name: year, type: integer, min: 2000, max: 2025, role: quasi }}
  - {{ name: dept, type: category, levels: [a, b, c, d, e, f], role: quasi }}
  - {{ name: hist, type: category, levels: [ductal, lobular, other] }}
  - {{ name: grade, type: category, levels: ["1", "2", "3"] }}
  - {{ name: bmi, type: real, units: kg/m2, min: 10, max: 60, resolution: 0.1 }}
  - {{ name: ps, type: integer, min: 0, max: 4 }}
  - {{ name: mets, type: integer, min: 0, max: 10 }}
  - {{ name: line, type: integer, min: 0, max: 12 }}
  - {{ name: hr, type: boolean }}
  - {{ name: her2, type: boolean }}
  - {{ name: chemo, type: boolean }}
  - {{ name: lab, type: integer, min: 0, max: 200 }}
  - {{ name: ptime, type: duration, units: days, min: 0, max: 6000 }}
  - {{ name: prog, type: boolean }}
  - {{ name: time, type: duration, units: days, min: 0, max: 6000 }}
  - {{ name: death, type: boolean }}
  - {{ name: cause, type: category, levels: [alive, cancer, elsewise] }}
"""
COLUMNS = ["hospital", "ward", "age", "year", "dept", "hist", "grade", "bmi", "ps", "mets", "line", "hr", "her2", "chemo", "lab", "ptime", "prog",
           "time", "death", "cause"]


def anybody(draw):
    """A patient who is not known: drawn, and neither T nor N."""
    dept = draw.choices("abcdef", weights=[26, 24, 20, 12, 12, 6])[0]
    hist = draw.choices(["ductal", "lobular", "other"], weights=[55, 25, 20])[0]
    if dept in "de" and hist == "other":
        hist = "ductal"
    age, year = min(95, max(24, int(draw.gauss(60, 13)))), draw.randint(2006, 2020)
    if age == 47 and year in (2013, 2014):
        year = 2012
    died, censored = draw.expovariate(1 / 1400), draw.uniform(300, 3900)
    time, death = max(2, int(min(died, censored))), int(died <= censored)
    progressed = draw.expovariate(1 / 700)
    return {
        "age": age, "year": year, "dept": dept, "hist": hist, "grade": draw.choice("123"), "bmi": round(min(55, max(14, draw.gauss(25, 4.5))), 1),
        "ps": draw.choices(range(5), weights=[35, 35, 18, 10, 2])[0], "mets": min(10, int(draw.expovariate(0.6))),
        "line": 1 + min(7, int(draw.expovariate(0.5))), "hr": int(draw.random() < 0.6), "her2": int(draw.random() < 0.35),
        "chemo": int(draw.random() < 0.55), "lab": draw.randint(20, 160), "ptime": max(1, int(min(progressed, time))),
        "prog": int(progressed <= time), "time": time, "death": death,
        "cause": "alive" if not death else draw.choice(["cancer", "cancer", "elsewise"]),
    }


def ward(name, seed, size, target, others):
    """The patients of a ward: the same for the same seed and size. target: what is otherwise in her record; None: she is not there. others:
    what all others of department f have, or a function of a draw and the patient."""
    draw = random.Random(f"maille {seed}")
    patients = [anybody(draw) for _ in range(size)]
    chance = random.Random(f"maille others {seed}")
    for i, patient in enumerate(patients):
        if patient["dept"] == "f":
            patient.update({key: value(chance, patient) if callable(value) else value for key, value in others.items()})
        patient["hospital"] = SITES[i % len(SITES)]
    if target is not None:
        patients.append(dict(TARGET, hospital="c") | target)
    for patient in patients:
        patient["ward"] = name
    return patients


def write(folder, wards):
    """registry.csv and registry.yaml of wards, a list of (name, seed, size, target, others). Returns the patients by ward, each with its pid."""
    truth = {}
    with open(folder / "registry.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["pid"] + COLUMNS)
        number = 0
        for row in wards:
            truth[row[0]] = ward(*row)
            for patient in truth[row[0]]:
                patient["pid"] = f"P{number:06d}"
                number += 1
                out.writerow([patient["pid"]] + ["" if patient[c] is None else patient[c] for c in COLUMNS])
    (folder / "registry.yaml").write_text(DICTIONARY.format(wards=", ".join(row[0] for row in wards)))
    return truth
