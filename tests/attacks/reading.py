"""How the enemy reads answers. Each takes the answers of a spelling, worlds: steps: analyses, and the patients of each world, and returns
what he learnt in a sentence, or None. He knows the registry (the truth), so he says no more than what is so."""
import itertools
import math
import re
from fractions import Fraction

from registry import TARGET
from researcher import numbers, shape

FEW = 11


def small(analysis):
    """A number of few patients, but not none, that an answer shows."""
    if analysis["status"] != "ok":
        return None
    for path, n in ({("n_missing",): analysis.get("n_missing") or 0} | numbers(analysis["result"])).items():
        if ("counts" in path or path[-1] in ("n", "n_missing", "missing")) and 0 < n < FEW:
            return f"{n:.0f} patients at {'/'.join(map(str, path))}"
    return None


def shapes(worlds, _truth):
    """Two worlds that differ in one fact of the target: do the answers say which it is? Or is a small number shown?"""
    shown = next(filter(None, (small(a) for world in worlds for step in world for a in step)), None)
    if shown:
        return shown
    first, second = [[[shape(a) for a in step] for step in world] for world in worlds]
    if first == second:
        return None
    for a, b in zip(sum(first, []), sum(second, [])):
        keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
        if keys:
            key = keys[0]
            return f"which of two worlds it is, by \"{key}\": {str(a.get(key))[:60]} or {str(b.get(key))[:60]}"
    return "which of two worlds it is"


def heads(analysis):
    """Numbers of patients that an analysis shows: {where: n}."""
    if analysis["status"] != "ok":
        return {}
    found = {("n",): analysis["n"]} if analysis.get("n") is not None else {}
    for group in analysis["result"].get("groups") or []:
        if group.get("n") is not None:
            found[("group", str(group.get("level")))] = group["n"]
    for variable in analysis["result"].get("variables") or []:
        if isinstance(variable, dict) and variable.get("n") is not None:
            found[(variable.get("level"), variable.get("variable"), variable.get("value"))] = variable["n"]
    return found


def places(analysis):
    """Its numbers by where they stand, whatever the arm or the variable is called. The n of a table of which cells are hidden is the sum of
    those that are shown: it tells nothing beside them."""
    plain = lambda word: "x" if word in ("bmi", "same_lab") else re.sub(r"g[ab]_\d+", "g", word)
    return {tuple(plain(part) if isinstance(part, str) else part for part in path): n
            for path, n in (numbers(analysis["result"]) | {("n",): None if analysis.get("suppressed") else analysis["n"]}).items() if n is not None}


def differ(worlds, _truth):
    """Two answers about groups that differ by her: the numbers of both, where both are shown and not the same."""
    answers = [a for step in worlds[0] for a in step]
    first, second = answers[0], answers[-1]
    if first["status"] != "ok" or second["status"] != "ok":
        return None
    a, b = places(first), places(second)
    told = [(path, b[path] - a[path]) for path in a if path in b and a[path] != b[path]]
    if not told:
        return None
    n = [d for path, d in told if path[-1] == "n"]
    sums = [f"{path[-2]} {round(d, 3)}" for path, d in told if path[-1] == "sum"][:3]
    return f"{len(told)} numbers with and without her" + (f"; n differs by {abs(n[0])}" if n else "") + (f"; her {sums}" if sums else "")


def missing_rows(worlds, _truth):
    """How many lack a value: rows less those that count, where that is few (none is few too)."""
    said = shapes(worlds, None)
    for world in worlds:
        described, counted = world[0]
        if described["status"] != "ok" or counted["status"] != "ok":
            continue
        rows = counted["n"] if counted.get("n") is not None else described.get("n")
        for name, n in heads(described).items():
            if len(name) == 3 and name[0] in (None, "all") and rows is not None and 0 <= rows - n < FEW:
                return f"{rows - n} lack {name[1]}"
        groups = {key[1]: n for key, n in heads(counted).items() if key[0] == "group"}
        for name, n in heads(described).items():
            if len(name) == 3 and name[0] in groups and 0 <= groups[name[0]] - n < FEW and name[1] == "lab":
                return f"{groups[name[0]] - n} of {name[0]} lack {name[1]}"
    return said


def level(analysis, name):
    return next((n for key, n in heads(analysis).items() if key == ("group", name)), None)


def near_cells(worlds, _truth):
    """Two cells of crosses that differ by her, of arms that differ by many."""
    n = [level(answer, "TRUE,FALSE") for answer in (a for step in worlds[0] for a in step)]
    return f"{n[1] - n[0]} patient more in the arm, among those without hr" if None not in n and 0 < n[1] - n[0] < FEW else None


def three(worlds, _truth):
    """Everybody less two parts: who is left over."""
    answers = [a for step in worlds[0] for a in step]
    if any(a["status"] != "ok" for a in answers):
        return None
    if len(answers) == 2:  # arms: what is in neither
        a, b, rest = level(answers[0], "TRUE"), level(answers[1], "TRUE"), answers[0].get("n")
        if rest is None and level(answers[0], "FALSE") is not None and a is not None:
            rest = a + level(answers[0], "FALSE")
        return None if None in (a, b, rest) or not 0 < rest - a - b < FEW else f"{rest - a - b} patient is in neither arm"
    values = [next((v for path, v in numbers(a["result"]).items() if path[-1] == "sum"), None) for a in answers]
    n = [answer["n"] for answer in answers]
    if None in n or not 0 < n[0] - n[1] - n[2] < FEW:
        return None
    return f"{n[0] - n[1] - n[2]} patient is left over" + ("" if None in values else f", her bmi {round(values[0] - values[1] - values[2], 3)}")


def cycle(worlds, _truth):
    """(a, b and her) − (b, c) + (c, f) − (f, a)."""
    n = []
    for answer in (a for step in worlds[0] for a in step):
        n.append(level(answer, "TRUE") if "group" in str(heads(answer)) and answer["method"] == "count" and level(answer, "TRUE") is not None
                 else answer.get("n") if answer["status"] == "ok" and not (answer.get("result") or {}).get("groups", [{}])[0].get("level") else None)
    if None in n:
        return None
    rest = n[0] - n[1] + n[2] - n[3]
    return f"{rest} patient stands behind four groups" if 0 < abs(rest) < FEW else None


def matrix(worlds, _truth):
    """The inverse of the covariance matrix holds the number of patients in both factors: hers alone."""
    answer = worlds[0][0][0]
    found = (answer.get("result") or {}).get("vcov") if answer["status"] == "ok" else None
    rows = found.get("matrix") if isinstance(found, dict) else found
    if not rows or any(value is None for row in rows for value in row):
        return None
    terms = [term["term"] for term in answer["result"]["terms"]]
    at = [next((i for i, term in enumerate(terms) if term.startswith(name) and ":" not in term), None) for name in ("fa", "fb")]
    inverse = invert([[Fraction(value) for value in row] for row in rows])
    scale = answer["result"].get("dispersion") or 1
    if None in at or inverse is None:
        return None
    return f"the information of {terms[at[0]]} and {terms[at[1]]} is {float(inverse[at[0]][at[1]]) * scale:.3f}: who is in both"


def invert(rows):
    """Gauss and Jordan, exactly. None: singular."""
    n = len(rows)
    work = [row + [Fraction(int(i == j)) for j in range(n)] for i, row in enumerate(rows)]
    for column in range(n):
        pivot = next((r for r in range(column, n) if work[r][column] != 0), None)
        if pivot is None:
            return None
        work[column], work[pivot] = work[pivot], work[column]
        work[column] = [value / work[column][column] for value in work[column]]
        for r in range(n):
            if r != column and work[r][column] != 0:
                work[r] = [a - work[r][column] * b for a, b in zip(work[r], work[column])]
    return [row[n:] for row in work]


def hidden_cells(worlds, _truth):
    """What the second table's merged levels say of cells that the first one hid."""
    first, second = worlds[0][0][0], worlds[0][1][0]
    if small(first) or small(second):
        return small(first) or small(second)
    if first["status"] != "ok" or second["status"] != "ok":
        return None
    if first["method"] == "crosstab":
        levels, counts = first["result"]["levels"], first["result"]["counts"]
        cells = {f"{d},{h}": counts[i][j] for i, d in enumerate(levels[0]) for j, h in enumerate(levels[1])}
    else:
        cells = {key[1]: n for key, n in heads(first).items() if key[0] == "group"}
    merged = {key[1]: n for key, n in heads(second).items() if key[0] == "group"}
    for hist in ("ductal", "lobular", "other"):
        both, known = merged.get(f"TRUE,{hist}"), cells.get(f"c,{hist}")
        if cells.get(f"d,{hist}") is None and None not in (both, known):
            return f"the hidden cell d, {hist} has {both - known}"
    return None


def moments(worlds, truth):
    """Power sums of the ages of a group: as many as it has patients say everybody's age."""
    n = sum(patient["dept"] == "f" for patient in truth[0])
    known = set()
    for answer in (a for step in worlds[0] for a in step):
        weights = (answer.get("asked") or {}).get("weights")
        shift = {"y2": (2,), "z": (1, 0)}.get(weights if isinstance(weights, str) else None, (0,))
        for row in (answer.get("result") or {}).get("variables", []) if answer["status"] == "ok" else []:
            power = {"y": 1, "y2": 2, "y3": 3}[row["variable"]]
            if row.get("level") == "TRUE":
                for times, key in ((1, "mean"), (2, "sd"), (3, "skewness")):
                    if row.get(key) is not None:
                        known.add(power * times + shift[0])
    allowed = max(3, n // 10)
    return f"power sums {sorted(known)} of the ages of {n} patients" if len(known) > allowed else None


def shown_all(worlds, truth):
    """How many numbers small regressions show of few patients."""
    shown = sum(2 * len(answer["result"]["terms"]) for step in worlds[0] for answer in step if answer["status"] == "ok")
    n = len(truth[0])
    return f"{shown} coefficients and standard errors of {n} patients" if shown > n else None


# Means and sums, and what gives them away.
CARRIED = ("mean", "sum", "sd", "skewness", "se", "estimate", "conf_low", "conf_high", "statistic", "rate", "time", "person_time", "unweighted",
           "weighted", "difference", "share")


def weight_of_one(worlds, truth):
    """A sum, or a mean, to which one patient gives most: all that the result says of the number."""
    answer = worlds[0][0][0]
    if answer["status"] != "ok":
        return None
    told = {path: value for path, value in numbers(answer["result"]).items() if any(part in CARRIED for part in path)}
    group = [patient for patient in truth[0] if patient["dept"] == "f"]
    return f"of {len(group)} patients, one of whom carries most of it: {dict(list(told.items())[:3])}" if told else None


def one_value(worlds, truth):
    """A level in which all have the same value."""
    answer = worlds[0][0][0]
    if answer["status"] != "ok":
        return None
    counts = answer["result"]["counts"]
    row = counts[answer["result"]["levels"][0].index("TRUE")] if "TRUE" in answer["result"]["levels"][0] else []
    shown = [n for n in row if n is not None]
    return f"everybody in f has one value of chemo: {row}" if shown and max(shown) >= FEW and (min(row, key=lambda n: n or 0) or 0) == 0 else None


def months(patient, key="time"):
    return math.ceil(patient[key] / 30.4375 - 1e-9)


def few_at(at, patients):
    """at: months at which a curve shows somebody leave, ascending; who left since the one before."""
    for before, here in zip([-1] + at, at):
        n = sum(before < months(patient) <= here for patient in patients)
        if 0 < n < FEW:
            return f"{n} patients leave alone at {here} months"
    return None


def weighed(curve, key, patients, weight):
    """What the steps of a weighted curve say of sums of weights: as they are shown, or by the first fall of S, of whose n he knows everybody."""
    sums = curve.get(key) or []
    if sums and sums[0] is None:
        sums = [(1 - curve["estimate"][0]) * sum(p[weight] for p in patients)] if key == "n_event_at" and weight else []
    return [total for total in sums if total is not None]


def few_in_sums(sums, patients, weight):
    """Sums of weights, in the order of time: whose they are. Each is of whole months; without a number as weight each weighs 1 or more."""
    if weight is None:
        return next((f"a sum of {total:.2f} of fewer than {FEW} patients" for total in sums if 0 < total < FEW), None)
    upto, done, n_done = 0, 0, 0
    ends = sorted({months(patient) for patient in patients})
    for total in (total for total in sums if total > 0):
        upto += total
        for end in ends:
            own = [patient for patient in patients if months(patient) <= end]
            if abs(sum(patient[weight] for patient in own) - upto) < 1e-6:
                if len(own) - n_done < FEW:
                    return f"{len(own) - n_done} patients who leave alone after {done} months weigh {total:g}"
                done, n_done = end, len(own)
                break
    return None


def alone(event, by=None):
    """Steps of a curve in which fewer than the limit leave: of one who leaves alone they tell what she is."""
    def read(worlds, truth):
        for step, patients in zip((world[0] for world in worlds), truth):
            if step[0]["status"] != "ok":
                continue
            result = step[0]["result"]
            for curve in result.get("risk_sets") or result["curves"]:
                own = [p for p in patients if curve["stratum"] == "all" or curve["stratum"] == f"{by}={'TRUE' if p[by] else 'FALSE'}"]
                told = few_at([round(t / 30.4375) for t in curve.get("time") or []], own)
                if told:
                    return f"{curve['stratum']}: {told}"
        return None

    return read


def weigh(event, weight=None, reverse=False):
    """The same of a weighted curve over everybody: sums of weights of fewer than the limit, who have the event or are censored."""
    def read(worlds, truth):
        for step, patients in zip((world[0] for world in worlds), truth):
            curve = step[0]["result"]["curves"][0] if step[0]["status"] == "ok" else {}
            for state, key in ((not reverse, "n_event_at"), (reverse, "n_censor")):
                told = few_in_sums(weighed(curve, key, patients, weight), [p for p in patients if p[event] == state], weight)
                if told:
                    return told
        return None

    return read


def upto(sums, patients, weight):
    """Sets of patients behind what the steps of a weighted curve add up to."""
    sets, total = [], 0
    for step in sums or []:
        total += step
        sets += [own for end in sorted({months(p) for p in patients})
                 for own in [frozenset(p["pid"] for p in patients if months(p) <= end)]
                 if abs(sum(p[weight] for p in patients if months(p) <= end) - total) < 1e-6][:1]
    return sets


def weigh_between(events, weight):
    """Weighted curves of one group by several words, or of a group and its arms: what do their sums add up to beside each other? events: of each
    curve in the order of the answers, who is in it and has the event."""
    def read(worlds, truth):
        for world, patients in zip(worlds, truth):
            curves = [curve for step in world for answer in step if answer["status"] == "ok" for curve in answer["result"]["curves"]]
            if len(curves) != len(events):
                continue
            whole, *parts = [upto(weighed(curve, "n_event_at", patients, weight), [p for p in patients if has(p)], weight) for curve, has in zip(curves, events)]
            for one in whole:
                for others in itertools.product(*parts):
                    apart = one ^ frozenset().union(*others)
                    if 0 < len(apart) < FEW:
                        return f"what {len(apart)} patients weigh, as the difference of sums of {len(parts) + 1} curves"
        return None

    return read
