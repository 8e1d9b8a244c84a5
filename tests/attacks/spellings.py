"""The attacks, each in the spellings that we could think of: what is asked, and how the enemy reads the answers.

A spelling has steps, which are asked in studies one after the other, and worlds: wards that differ in one fact of the target. A line of a
study is written as `method: …`; what stands in {braces} is filled in by attacks.py: {ward} is the condition of the ward.
"""
from dataclasses import dataclass, field
from typing import Callable

from reading import alone, cycle, differ, hidden_cells, matrix, missing_rows, moments, near_cells, one_value, shapes, shown_all, three, weigh, weigh_between, weight_of_one
from registry import T, T_NUMBERS, TARGET

G = 'dept == "a"'
# Derived variables of the studies. A step may have others under the same name.
DERIVE = {
    "t": T,
    "t_dead": f"({T}) && death",
    "t_time": f"({T}) && time <= 983",
    "t_numbers": T_NUMBERS,
    "t_levels": f'factor(ifelse({T}, 1, 0), levels = c(0, 1), labels = c("no", "yes"))',
    "cut_age": "cut(age, c(0, 46, 47, 120))",
    "no_other": 'factor(hist, levels = c("ductal", "lobular"))',
    "lacks": "is_missing(lab)",
    "g": G,
    "fa": f'({T}) || dept == "a"',
    "fb": f'({T}) || dept == "b"',
    "dc": 'dept == "d" || dept == "c"',
    "y": "age - 60",
    "y2": "(age - 60)^2",
    "y3": "(age - 60)^3",
    "z": "age - 18",
    "same_lab": "bmi + lab - lab",
    "far_mets": "mets + lab - lab",
    "wide_mets": "mets + 10000000 * mets - 10000000 * mets",
    "cube_mets": "mets^3",
    "f_dept": 'dept == "f"',
}


@dataclass
class Spelling:
    attack: str
    name: str
    steps: list  # of lists of analyses; a step may begin with a dict of derived variables of its own
    read: Callable  # (answers by world: steps: analyses, truth) -> what was learnt, or None
    worlds: list = field(default_factory=lambda: [{}])  # what is otherwise in the target's record; None: she is not there
    size: int = 150
    model: bool = False
    late: bool = False  # behind --all
    others: dict = field(default_factory=dict)  # what all others of department f have
    blunt: bool = False  # nothing is learnt under open either: it is a question that another rule of the language refuses


THERE = [{}, None]
DEATH = [{"death": 1}, {"death": 0}]
COUNT, CELL = "method: count", "method: crosstab"


def oracle(name, line, worlds=None, **more):
    return Spelling("A1", name, [[line]], shapes, worlds or THERE, **more)


def model(text, method="glm"):
    return f'method: {method}, formula: "{text}"'


SURV, STATUS = "Surv(time, death)", "Surv(time, status)"

A1 = [
    oracle("count", "method: count, by: [t]"),
    oracle("count-numbers", "method: count, by: [t_numbers]"),
    oracle("count-attribute", "method: count, by: [t, death]", DEATH),
    oracle("count-and", "method: count, by: [t_dead]", DEATH),
    oracle("count-time", "method: count, by: [t_time]", [{"time": 983}, {"time": 984}]),
    oracle("crosstab", "method: crosstab, variables: [t, grade]", [{"grade": "3"}, {"grade": "1"}]),
    oracle("variables", "method: count, variables: [t]", late=True),
    oracle("describe", "method: describe, variables: [bmi], by: t"),
    oracle("describe-indicator", "method: describe, variables: [t]"),
    oracle("histogram", "method: histogram, variable: time, breaks: [0, 6000], by: t"),
    oracle("quantile", "method: quantile, variable: time, probs: [0.5], by: t"),
    oracle("table1", "method: table1, variables: [bmi], by: t", late=True),
    oracle("cut", "method: count, by: [cut_age]", [{"age": 47}, None], late=True),
    oracle("outside", "method: count, by: [no_other], cohort: '{ward} && dept == \"d\"'", size=600),
    oracle("cohort", f"method: count, by: [hr], cohort: '{{ward}} && {T}'"),
    oracle("cohort-describe", f"method: describe, variables: [bmi], cohort: '{{ward}} && {T}'", late=True),
    oracle("is_missing", "method: count, by: [lacks]", [{"lab": None}, {"lab": 88}]),
    Spelling("A1", "missing", [["method: describe, variables: [lab]", "method: count"]], missing_rows, [{"lab": None}, {"lab": 88}]),
    Spelling("A1", "missing-by", [["method: describe, variables: [lab, bmi], by: hr", "method: count, by: [hr]"]], missing_rows,
             [{"lab": None}, {"lab": 88}], late=True),
    oracle("km", model(f"{SURV} ~ t", "km"), model=True),
    oracle("rate", model(f"{SURV} ~ t", "rate"), model=True, late=True),
    oracle("cuminc", model("Surv(time, cause) ~ t", "cuminc"), model=True, late=True),
    oracle("logrank", model(f"{SURV} ~ t", "logrank"), model=True),
    oracle("ttest", model("bmi ~ t", "ttest"), model=True, late=True),
    oracle("anova", model("bmi ~ t", "anova"), model=True, late=True),
    oracle("smd", "method: smd, treatment: t, variables: [bmi]", model=True, late=True),
    oracle("glm", model("bmi ~ age + t"), model=True),
    oracle("glm-interaction", model("bmi ~ age + t:age"), model=True),
    oracle("logistic", model("death ~ age + t") + ", family: binomial", model=True, late=True),
    oracle("poisson", model("death ~ t + offset(log(time + 1))") + ", family: poisson", model=True, late=True),
    oracle("cox", model(f"{SURV} ~ age + t", "cox"), model=True),
    oracle("cox-strata", model(f"{SURV} ~ age + strata(t)", "cox") + ", baseline: true", model=True, late=True),
    oracle("finegray", model("Surv(time, cause) ~ age + t", "finegray") + ", cause: cancer", model=True, late=True),
    oracle("iptw", model(f"{SURV} ~ chemo", "cox") + ', weights: { iptw: "chemo ~ t + grade" }', model=True, late=True),
    oracle("subgroups", model(f"{SURV} ~ chemo", "cox") + ", subgroups: [t]", model=True, late=True),
]


WIDER = f'{G} || ({T}) || (hr == TRUE && dept == "b")'


def two(name, line, attack="A2", plus=f"{G} || ({T})", less=G, **more):
    """One arm, then that arm and her: in two studies."""
    return Spelling(attack, name, [[{"g": less}, line], [{"g": plus}, line]], differ, **more)


A2 = [
    two("count", "method: count, by: [g]"),
    two("count-numbers", "method: count, by: [g]", plus=f"{G} || ({T_NUMBERS})"),
    two("crosstab", "method: crosstab, variables: [g, death]", size=220),
    two("describe", "method: describe, variables: [bmi, ps, line, her2, death], by: g"),
    two("weights", "method: describe, variables: [bmi], by: g, weights: lab", late=True),
    two("quantile", "method: quantile, variable: bmi, probs: [0.5], by: g", size=220),
    two("histogram", "method: histogram, variable: time, breaks: [0, 6000], by: g", late=True),
    two("table1", "method: table1, variables: [bmi, death], by: g", late=True),
    two("complement", "method: count, by: [g]", less='dept != "a"', plus=f'dept != "a" && !({T})'),
    two("cohort", f"method: describe, variables: [bmi], cohort: '{{ward}} && ({{g}})'"),
    two("cohort-km", model(f"{SURV} ~ 1", "km") + ", cohort: '{ward} && ({g})'", model=True, size=220),
    two("km", model(f"{SURV} ~ g", "km"), model=True, size=220),
    two("rate", model(f"{SURV} ~ g", "rate"), model=True, late=True),
    two("ttest", model("bmi ~ g", "ttest"), model=True, late=True),
    two("glm", model("bmi ~ g"), model=True),
    two("glm-interaction", model("bmi ~ line + g:line"), model=True, late=True),
    two("logistic", model("death ~ g") + ", family: binomial", model=True, late=True),
    two("cox", model(f"{SURV} ~ g", "cox"), model=True, size=220),
    two("strata", model(f"{SURV} ~ hr + strata(g)", "cox"), model=True, size=300, late=True),
]

A2 += [
    Spelling("A2", "cross", [[{"g": G}, "method: count, by: [g, hr]"], [{"g": WIDER}, "method: count, by: [g, hr]"]], near_cells, size=500),
]

LATER = f"({G}) && time <= 982", f"({G}) && time <= 983"


def together(name, line, derive, **more):
    """Both arms in one study."""
    lines = [line.replace("ARM", arm) for arm in ("ga", "gb")]
    return Spelling("A3", name, [[dict(zip(("ga", "gb"), derive)), *lines]], differ, **more)


A3 = [
    together("count", "method: count, by: [ARM]", (G, f"{G} || ({T})")),
    together("describe", "method: describe, variables: [bmi, time], by: ARM", (G, f"{G} || ({T})")),
    together("arithmetic", "method: describe, variables: [bmi], by: ARM", (G, f"{G} || (age + year == 2060 && dept == \"d\" && hist == \"other\")")),
    together("cut-of-time", "method: describe, variables: [bmi], by: ARM", LATER, worlds=[{"dept": "a", "hist": "lobular"}]),
    together("km", model(f"{SURV} ~ ARM", "km"), (G, f"{G} || ({T})"), model=True, size=220),
    together("glm", model("bmi ~ ARM"), (G, f"{G} || ({T})"), model=True, late=True),
    Spelling("A3", "missing", [["method: describe, variables: [bmi]", "method: describe, variables: [same_lab]"]], differ, [{"lab": None}]),
    Spelling("A3", "missing-arms", [["method: describe, variables: [bmi]", model("bmi ~ hr", "ttest")],
                                    [{"hr_lab": "hr || lab < 0"}, model("bmi ~ hr_lab", "ttest")]],
             lambda worlds, truth: differ([[[world[0][1]], [world[1][0]]] for world in worlds], truth), [{"lab": None}], model=True, late=True),
]

A3 += [
    Spelling("A3", "cross", [[{"ga": G, "gb": WIDER}, "method: count, by: [ga, hr]", "method: count, by: [gb, hr]"]], near_cells, size=500),
]

A4 = [
    Spelling("A4", "glm", [[model("year ~ fa + fb + fa:ps + fa:line + fa:bmi + fa:time")]], matrix, model=True, size=400),
    Spelling("A4", "logistic", [[model("death ~ fa + fb + fa:line") + ", family: binomial"]], matrix, model=True, size=400, late=True),
    Spelling("A4", "cox", [[model(f"{SURV} ~ fa + fb + fa:line", "cox")]], matrix, model=True, size=400),
]


def without(name, condition, worlds=None, first=None, **more):
    """The ward, then the ward without the condition: refused, or answered?"""
    lines = [first or "method: count, by: [hr]"], [f"{first or 'method: count, by: [hr]'}, cohort: '{{ward}} && !({condition})'"]
    return Spelling("A5", name, list(lines), lambda w, truth: shapes([[world[1]] for world in w], truth) or differ(w, truth), worlds or THERE, **more)


A5 = [
    without("member", T),
    without("numbers", T_NUMBERS, late=True),
    without("died", f"{T} && death", DEATH),
    without("time", f"{T} && time <= 983", [{"time": 983}, {"time": 984}]),
    without("describe", T, first="method: describe, variables: [bmi]", late=True),
    without("km", T, first=model(f"{SURV} ~ 1", "km"), model=True, late=True),
    without("glm", T, first=model("bmi ~ hr"), model=True, late=True),
    # By an arm, and by a level as the dictionary has it of two cohorts that are far apart.
    Spelling("A5", "arms", [[{"g": 'dept == "d"'}, "method: count, by: [g]"], [{"g": f'dept == "d" && !({T})'}, "method: count, by: [g]"]],
             lambda w, truth: shapes([[world[1]] for world in w], truth), THERE),
    Spelling("A5", "level", [["method: count, by: [hr]"], [f"method: count, by: [hr], cohort: '{{ward}} && !(({T}) || (dept == \"a\" && hr))'"]],
             lambda w, truth: shapes([[world[1]] for world in w], truth), THERE, size=300),
]

OLD, YOUNG = 'dept == "a" || dept == "b"', f'dept != "a" && dept != "b" && !({T})'
A9 = [
    Spelling("A9", "cohorts", [["method: describe, variables: [bmi]"], [f"method: describe, variables: [bmi], cohort: '{{ward}} && ({OLD})'"],
                               [f"method: describe, variables: [bmi], cohort: '{{ward}} && {YOUNG}'"]], three),
    Spelling("A9", "one-study", [["method: describe, variables: [bmi]", f"method: describe, variables: [bmi], cohort: '{{ward}} && ({OLD})'",
                                  f"method: describe, variables: [bmi], cohort: '{{ward}} && {YOUNG}'"]], three),
    Spelling("A9", "arms", [[{"g": OLD}, "method: count, by: [g]"], [{"g": YOUNG}, "method: count, by: [g]"]], three),
    Spelling("A9", "cycle", [[{"g": f'dept == "a" || dept == "b" || ({T})'}, "method: count, by: [g]"],
                             [{"g": 'dept == "b" || dept == "c"'}, "method: count, by: [g]"],
                             [{"g": 'dept == "c" || dept == "f"'}, "method: count, by: [g]"],
                             [{"g": 'dept == "f" || dept == "a"'}, "method: count, by: [g]"]], cycle, size=300),
    Spelling("A9", "cycle-one-study", [[{"g1": f'dept == "a" || dept == "b" || ({T})', "g2": 'dept == "b" || dept == "c"',
                                         "g3": 'dept == "c" || dept == "f"', "g4": 'dept == "f" || dept == "a"'},
                                        *[f"method: count, by: [g{i}]" for i in (1, 2, 3, 4)]]], cycle, size=300),
    Spelling("A9", "cycle-cohorts", [["method: count, cohort: '{ward} && ({g})'" if i == 9 else {"g": g}, "method: count, cohort: '{ward} && ({g})'"]
                                     for i, g in enumerate((f'dept == "a" || dept == "b" || ({T})', 'dept == "b" || dept == "c"',
                                                            'dept == "c" || dept == "f"', 'dept == "f" || dept == "a"'))], cycle, size=300, late=True),
]

A11 = [
    Spelling("A11", "merged", [["method: count, by: [dept, hist]"], ["method: count, by: [dc, hist]"]], hidden_cells, size=900),
    Spelling("A11", "merged-crosstab", [["method: crosstab, variables: [dept, hist]"], ["method: count, by: [dc, hist]"]], hidden_cells, size=900,
             late=True),
]

A12 = [
    Spelling("A12", "moments", [["method: describe, variables: [y, y2, y3], by: f_dept", "method: describe, variables: [y, y2, y3], by: f_dept, weights: y2",
                                 "method: describe, variables: [y, y2, y3], by: f_dept, weights: z"]], moments, size=240),
    Spelling("A12", "three-studies", [["method: describe, variables: [y, y2, y3], by: f_dept"],
                                      ["method: describe, variables: [y, y2, y3], by: f_dept, weights: y2"],
                                      ["method: describe, variables: [y, y2, y3], by: f_dept, weights: z"]], moments, size=246),
    Spelling("A12", "ten-regressions", [[model(f"{x} ~ {y}") for x, y in (
        ("bmi", "age"), ("bmi", "ps"), ("bmi", "line"), ("bmi", "lab"), ("bmi", "mets"), ("age", "ps"), ("age", "line"), ("age", "lab"),
        ("age", "mets"), ("lab", "ps"))]], shown_all, size=31, model=True),
]

# Beyond the thirteen: rule 4 of the second part.
IN_F = 'dept == "f"'
# The older are treated, but for chance; so she who is young and treated weighs as much as many.
TREATED_OLD = {"chemo": lambda draw, patient: int(patient["age"] + draw.gauss(0, 9) >= 60)}


def carries(name, line, cohort=None, target=None, others=None, size=900, **more):
    """A sum of department f nearly all of which is hers."""
    within = f", cohort: '{{ward}} && {cohort}'" if cohort else ""
    return Spelling("B1", name, [[line + within]], weight_of_one, [{"dept": "f"} | (target or {"mets": 10})], size=size, others=others or {"mets": 0},
                    **more)


B = [
    carries("one-carries-the-sum", "method: describe, variables: [mets]", IN_F),
    carries("group", "method: describe, variables: [mets], by: f_dept"),
    carries("derived", "method: describe, variables: [far_mets]", IN_F),
    carries("wide", "method: describe, variables: [wide_mets]", IN_F),
    carries("cube", "method: describe, variables: [cube_mets]", IN_F, others={"mets": lambda draw, _: draw.choice([0, 4])}, late=True),
    carries("table1", "method: table1, variables: [mets]", IN_F, late=True),
    carries("weights", "method: describe, variables: [bmi], weights: lab", IN_F, {"lab": 200}, {"lab": 1}),
    carries("weighted-level", "method: describe, variables: [chemo], by: f_dept, weights: lab", None, {"lab": 200}, {"lab": 1}),
    carries("iptw", 'method: describe, variables: [bmi], by: chemo, weights: { iptw: "chemo ~ age" }', IN_F, {"age": 30, "chemo": 1}, TREATED_OLD,
            size=1500, model=True),
    carries("smd", "method: smd, treatment: f_dept, variables: [mets]", model=True, late=True),
    carries("ttest", model("mets ~ f_dept", "ttest"), model=True),
    carries("anova", model("mets ~ f_dept", "anova"), model=True, late=True),
    carries("glm", model("mets ~ f_dept"), model=True),
    carries("rate", model(f"{SURV} ~ f_dept", "rate"), None, {"time": 6000, "death": 1}, {"time": 30, "death": 1}, model=True),
    Spelling("B3", "event", [[model("Surv(time, her2) ~ 1", "km")]], alone("her2"), model=True),
    Spelling("B3", "arms", [[model(f"{SURV} ~ hr", "km") + ", tau: 1826.25"]], alone("death", "hr"), model=True, size=220),
    Spelling("B3", "cuminc", [[model("Surv(time, cause) ~ hr", "cuminc")]], alone("death", "hr"), model=True, size=220),
    Spelling("B3", "weights", [[model(f"{SURV} ~ 1", "km") + ", weights: lab"]], weigh("death", "lab"), model=True),
    Spelling("B3", "weights-reverse", [[model(f"{SURV} ~ 1", "km") + ", weights: lab, reverse: true"]], weigh("death", "lab", True), model=True,
             late=True),
    Spelling("B3", "iptw", [[model(f"{SURV} ~ 1", "km") + ', weights: { iptw: "chemo ~ grade" }']], weigh("death"), model=True),
    Spelling("B3", "weights-arms", [[model(f"{SURV} ~ {by}", "km") + ", weights: lab" for by in ("1", "hr")]],
             weigh_between([lambda p: p["death"], lambda p: p["death"] and not p["hr"], lambda p: p["death"] and p["hr"]], "lab"), model=True, size=220),
    Spelling("B3", "weights-event", [[{"e": f"death && !({T})"}] + [model(f"Surv(time, {event}) ~ 1", "km") + ", weights: lab" for event in ("death", "e")]],
             weigh_between([lambda p: p["death"], lambda p: p["death"] and any(p[k] != v for k, v in TARGET.items())], "lab"), [{"death": 1}], model=True),
    Spelling("B2", "unanimous", [["method: crosstab, variables: [f_dept, chemo]"]], one_value, size=420, others={"chemo": 1}),
]

ALL = A1 + A2 + A3 + A4 + A5 + A9 + A11 + A12 + B
