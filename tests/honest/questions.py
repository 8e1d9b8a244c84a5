"""What people who mean well ask: seven papers of 47 analyses on the Rotterdam data, cohorts drawn from what papers
use, an afternoon of reruns."""
import random

DERIVED = [
    "derive:",
    "  node_group: cut(nodes, c(1, 4, 10), right = FALSE, open = TRUE)",
    "  nodal: nodes >= 1",
    "  period: cut(year, c(1982, 1985, 1988, 1990), open = TRUE)",
    "  young: age < 40",
    "  ageg: cut(age, c(40, 50, 60, 70), right = FALSE, open = TRUE)",
    "  first: factor(recur * 1 + (death && !recur) * 2, levels = c(0, 1, 2), labels = c(\"neither\", \"relapse\", \"death\"))",
    "analyses:"]

OS, RFS = "Surv(dtime, death)", "Surv(rtime, first)"
FULL = "age + size + grade + node_group + hormon + chemo"
IPTW = "weights: { iptw: \"hormon ~ age + size + log(nodes + 1) + grade + meno\", stabilised: true }"
TRUNCATED = IPTW[:-2] + ", truncate: [0.01, 0.99] }"


def one(name, method, rest):
    return f"  - {{ id: {name}, method: {method}, {rest} }}"


def papers():
    """[(name, grid, lines of the study)]"""
    cohort = [
        one("flow", "count", "by: [ageg, chemo]"),
        one("table1", "describe", "variables: [age, meno, size, grade, nodes, pgr, er, hormon], by: chemo"),
        one("ageq", "quantile", "variable: age, probs: [0.25, 0.5, 0.75], by: chemo"),
        one("pgrq", "quantile", "variable: pgr, probs: [0.05, 0.25, 0.5, 0.75, 0.95], by: meno"),
        one("agehist", "histogram", "variable: age, width: 10"),
        one("gradesize", "crosstab", "variables: [grade, size]"),
        one("nodesper", "crosstab", "variables: [node_group, period]"),
        one("chemoyear", "crosstab", "variables: [chemo, year]"),
        one("young", "describe", "variables: [size, grade, nodes, chemo, hormon], by: young")]
    survival = [
        one("fu", "km", f"formula: \"{OS} ~ 1\", reverse: true"),
        one("os", "km", f"formula: \"{OS} ~ 1\", tau: 3652.5"),
        one("osnode", "km", f"formula: \"{OS} ~ node_group\""),
        one("osage", "km", f"formula: \"{OS} ~ ageg\""),
        one("lr", "logrank", f"formula: \"{OS} ~ node_group + strata(grade)\""),
        one("rfs", "km", "formula: \"Surv(rtime, recur) ~ chemo\", conf_type: log-log, tau: 3652.5"),
        one("ci", "cuminc", f"formula: \"{RFS} ~ chemo\""),
        one("postrel", "km", "formula: \"Surv(rtime, dtime, death) ~ meno\", cohort: recur")]
    models = [
        one("cox", "cox", f"formula: \"{OS} ~ {FULL}\""),
        one("coxsite", "cox", f"formula: \"{OS} ~ {FULL} + strata(site)\""),
        one("coxint", "cox", f"formula: \"{OS} ~ age + size + nodal + hormon * meno + strata(site)\""),
        one("coxns", "cox", f"formula: \"{OS} ~ ns(age, knots = c(45, 55, 65), Boundary.knots = c(25, 85)) + size + "
                            "log(nodes + 1) + strata(site)\""),
        one("fg", "finegray", f"formula: \"{RFS} ~ age + size + node_group\", cause: relapse"),
        one("logit", "glm", "family: binomial, formula: \"chemo ~ age + size + grade + log(nodes + 1)\""),
        one("rate", "glm", "family: poisson, formula: \"death ~ age + size + offset(log(dtime))\""),
        one("meta", "meta", f"model: {{ method: cox, formula: \"{OS} ~ nodes + age\" }}, term: nodes")]
    weighted = [
        one("smd", "smd", "treatment: hormon, variables: [age, size, nodes, grade, meno], " + TRUNCATED),
        one("coxw", "cox", f"formula: \"{OS} ~ hormon\", " + TRUNCATED),
        one("coxw2", "cox", f"formula: \"{OS} ~ hormon\", " + IPTW),
        one("coxw2site", "cox", f"formula: \"{OS} ~ hormon + strata(site)\", " + IPTW),
        one("kmw", "km", f"formula: \"{OS} ~ hormon\", " + IPTW)]
    quarter = [one("coxq", "cox", f"formula: \"{OS} ~ {FULL}\"")]
    forest = [one("lm12", "km", f"formula: \"{OS} ~ chemo\", cohort: dtime > 365.25")]
    for i, group in enumerate(["meno", "!meno", "size == \\\"<=20\\\"", "size == \\\"20-50\\\"", "size == \\\">50\\\"",
                               "grade == \\\"2\\\"", "nodes >= 10", "age >= 70", "age < 40"]):
        forest.append(one(f"sub{i}", "cox", f"formula: \"{OS} ~ chemo + log(nodes + 1) + strata(site)\", "
                                            f"cohort: \"{group}\""))
    sensitivity = [one(f"s{i}", "km", f"formula: \"{OS} ~ chemo\", cohort: \"{group}\"")
                   for i, group in enumerate(["dtime > 30", "age <= 85", "nodes <= 30", "year >= 1979", "pgr <= 3000",
                                              "age >= 25"])]
    return [("p1-cohort", "month", DERIVED + cohort), ("p2-survival", "month", DERIVED + survival),
            ("p3-models", "month", DERIVED + models), ("p4-iptw", "month", DERIVED + weighted),
            ("p5-quarter", "quarter", DERIVED + quarter), ("p6-forest", "month", DERIVED + forest),
            ("p7-sensitivity", "month", DERIVED + sensitivity)]


# --- cohorts ---

PREDICATES = {
    "age >= 18": lambda x: x["age"] >= 18, "age <= 75": lambda x: x["age"] <= 75, "age <= 80": lambda x: x["age"] <= 80,
    "age <= 85": lambda x: x["age"] <= 85, "age < 70": lambda x: x["age"] < 70, "age >= 70": lambda x: x["age"] >= 70,
    "age < 40": lambda x: x["age"] < 40, "age < 50": lambda x: x["age"] < 50, "age >= 65": lambda x: x["age"] >= 65,
    "year >= 1980": lambda x: x["year"] >= 1980, "year >= 1985": lambda x: x["year"] >= 1985,
    "year <= 1990": lambda x: x["year"] <= 1990, "year <= 1992": lambda x: x["year"] <= 1992,
    "meno": lambda x: x["meno"], "!meno": lambda x: not x["meno"], "nodes == 0": lambda x: x["nodes"] == 0,
    "nodes > 0": lambda x: x["nodes"] > 0, "nodes >= 4": lambda x: x["nodes"] >= 4, "nodes <= 30": lambda x: x["nodes"] <= 30,
    "er >= 10": lambda x: x["er"] >= 10, "er < 10": lambda x: x["er"] < 10, "pgr >= 10": lambda x: x["pgr"] >= 10,
    "(er >= 10 || pgr >= 10)": lambda x: x["er"] >= 10 or x["pgr"] >= 10,
    "er < 10 && pgr < 10": lambda x: x["er"] < 10 and x["pgr"] < 10,
    "size == \"<=20\"": lambda x: x["size"] == "<=20", "size == \">50\"": lambda x: x["size"] == ">50",
    "size != \"<=20\"": lambda x: x["size"] != "<=20", "grade == \"3\"": lambda x: x["grade"] == "3",
    "chemo": lambda x: x["chemo"], "!chemo": lambda x: not x["chemo"], "hormon": lambda x: x["hormon"],
    "!hormon": lambda x: not x["hormon"], "dtime > 30": lambda x: x["dtime"] > 30, "dtime > 183": lambda x: x["dtime"] > 183,
    "dtime > 365.25": lambda x: x["dtime"] > 365.25, "recur": lambda x: x["recur"]}


def typed(row):
    """A row of the Rotterdam data as the predicates read it."""
    return {k: v if k in ("size", "grade", "pid") else v in ("1", "TRUE", "true") if k in ("meno", "hormon", "chemo", "recur", "death")
            else float(v) for k, v in row.items()}


def cohorts(rows, seed, n):
    """n cohorts that a paper could have: [(its expression, the numbers of its rows)]; at least 30 patients."""
    r, everybody = random.Random(seed), frozenset(range(len(rows)))
    sets = {name: frozenset(i for i, x in enumerate(rows) if test(x)) for name, test in PREDICATES.items()}
    names, drawn = list(sets), []
    while len(drawn) < n:
        k = r.choices([0, 1, 2, 3], weights=[1, 4, 4, 3])[0]
        chosen = r.sample(names, k)
        rows_of = everybody
        for name in chosen:
            rows_of = rows_of & sets[name]
        if len(rows_of) >= 30:
            drawn.append((" && ".join(chosen), rows_of))
    return drawn


# --- an afternoon ---

def afternoon():
    """20 reruns of a study of a Table 1 and five models, each with a small change: [lines of the study]"""
    base = {"cohort": "age >= 18 && year >= 1980", "covariates": "age + size + grade + log(nodes + 1)", "by": "chemo",
            "table": "[age, meno, size, grade, nodes, pgr, er]", "knots": ""}
    changes = [{}, {"covariates": "age + size + grade + log(nodes + 1) + meno"}, {"covariates": "age + size + grade + node_group"},
               {"table": "[age, meno, size, grade, nodes, pgr, er, hormon]"}, {"by": "hormon"}, {"cohort": "age >= 18 && year >= 1982"},
               {"covariates": "age + size + log(nodes + 1)"}, {"cohort": "age >= 18 && year >= 1980 && age < 80"}, {"by": "meno"},
               {"cohort": "year >= 1980"}, {"covariates": "I(age^2) + age + size + grade + log(nodes + 1)"}, {},
               {"cohort": "age >= 18 && year >= 1980 && nodes > 0"}, {"cohort": "age >= 18 && year >= 1980 && !meno"},
               {"cohort": "age >= 18 && year >= 1980 && dtime > 30"}, {"covariates": "age + size + grade + log(nodes + 1) + er"},
               {"cohort": "age >= 18 && year >= 1980 && age < 75"}, {"covariates": "age + size + grade + log(nodes + 1) + year"},
               {"cohort": "age >= 18 && year <= 1990"}, {"by": "size"}]
    studies = []
    for change in changes:
        s = dict(base, **change)
        studies.append([
            f"cohort: {s['cohort']}", "derive:", "  node_group: cut(nodes, c(1, 4, 10), right = FALSE, open = TRUE)", "analyses:",
            one("table1", "table1", f"variables: {s['table']}, by: {s['by']}" if s["by"] not in s["table"] else
                f"variables: [age, grade, nodes, pgr, er], by: {s['by']}"),
            one("crude", "cox", f"formula: \"{OS} ~ chemo\""),
            one("full", "cox", f"formula: \"{OS} ~ chemo + {s['covariates']} + strata(site)\""),
            one("relapse", "cox", f"formula: \"Surv(rtime, recur) ~ chemo + {s['covariates']} + strata(site)\""),
            one("treated", "glm", f"family: binomial, formula: \"chemo ~ {s['covariates']}\""),
            one("hormones", "cox", f"formula: \"{OS} ~ hormon + {s['covariates']} + strata(site)\"")])
    return studies
