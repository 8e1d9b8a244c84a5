"""Studies: what is asked, of whom, why. ``str(study)`` is the study file that every party signs and logs."""
from __future__ import annotations

import copy
import datetime
import json
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

Names = Union[str, Sequence[str]]
Weights = Union[str, Mapping[str, Any]]

#: Keys that are lists even with one value.
_LISTS = ("variables", "probs", "breaks", "truncate", "sites", "times", "subgroups", "controls")


def _text(value: str) -> str:
    """In double quotes, so that nothing that a name or a formula holds means anything to YAML."""
    value.encode("utf-8")  # lone surrogates are no text
    quoted = json.dumps(value, ensure_ascii=False)
    for code in (0x7F, 0x85, 0x2028, 0x2029, 0xFEFF):
        quoted = quoted.replace(chr(code), f"\\u{code:04X}")
    return quoted


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"expected a number, found {value}")
        return repr(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key}: {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str):
        return _text(value)
    raise TypeError(f"expected text, a number, a list or a map, found {type(value).__name__}")


def iptw(formula: str, estimand: Optional[str] = None, stabilised: Optional[bool] = None,
         truncate: Optional[Sequence[float]] = None) -> Dict[str, Any]:
    """Inverse probability of treatment weights, for ``weights``: ``iptw("hormon ~ age + size", stabilised=True)``."""
    return _given(iptw=formula, estimand=estimand, stabilised=stabilised, truncate=None if truncate is None else list(truncate))


def _given(**keys: Any) -> Dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


class Study:
    """A study. Every method gives a new one with the analysis added, so they chain; nothing is sent before ``run``."""

    def __init__(self, id: str, dictionary: str, *, purpose: str, legal_basis: str, expires: Union[str, datetime.date],
                 title: Optional[str] = None, protocol: Optional[str] = None, cohort: Optional[str] = None, grid: Optional[str] = None,
                 missing: Optional[str] = None, sites: Optional[Sequence[str]] = None) -> None:
        if isinstance(expires, str):
            expires = datetime.date.fromisoformat(expires)
        self.head = _given(study=id, dictionary=dictionary, title=title, purpose=purpose, legal_basis=legal_basis, protocol=protocol,
                           expires=expires, sites=None if sites is None else list(sites), cohort=cohort, grid=grid, missing=missing)
        self.derived: Dict[str, str] = {}
        self.analyses: List[Dict[str, Any]] = []

    def derive(self, **expressions: str) -> Study:
        """New variables, ``name="expression"``; a later one may use an earlier one."""
        new = copy.deepcopy(self)
        new.derived.update(expressions)
        return new

    def ask(self, method: str, id: Optional[str] = None, **keys: Any) -> Study:
        """An analysis by the name of its method and its keys: ``maille schema methods`` lists them."""
        new = copy.deepcopy(self)
        taken = {analysis["id"] for analysis in new.analyses}
        n = 1
        name = id or method
        while id is None and name in taken:
            n += 1
            name = f"{method}-{n}"
        if name in taken:
            raise ValueError(f'expected each id once, found "{name}" again')
        for key, value in keys.items():
            if key in _LISTS and value is not None:
                keys[key] = [value] if isinstance(value, str) else list(value)
            elif key == "by" and value is not None and not isinstance(value, str):
                keys[key] = list(value)
        new.analyses.append({"id": name, "method": method, **_given(**keys)})
        return new

    def __str__(self) -> str:
        lines = [f"{key}: {_value(value)}" for key, value in self.head.items()]
        if self.derived:
            lines += ["derive:"] + [f"  {name}: {_value(expression)}" for name, expression in self.derived.items()]
        lines += ["analyses:"] + [f"  - {_value(analysis)}" for analysis in self.analyses]
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"<maille.Study {self.head['study']!r} with {len(self.analyses)} analyses>"

    def write(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the study file."""
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(str(self))

    # --- survival ---

    def km(self, formula: str, id: Optional[str] = None, *, conf_type: Optional[str] = None, tau: Optional[float] = None,
           times: Optional[Sequence[float]] = None, reverse: Optional[bool] = None, landmark: Optional[float] = None,
           cohort: Optional[str] = None, weights: Optional[Weights] = None, conf_level: Optional[float] = None) -> Study:
        """Kaplan-Meier: ``"Surv(time, event) ~ groups"``; ``tau``: restricted mean up to there; ``times``: survival then.
        ``landmark``, here and below: those who are still followed then without the event, and time from there."""
        return self.ask("km", id, formula=formula, conf_type=conf_type, tau=tau, times=times, reverse=reverse, landmark=landmark,
                        cohort=cohort, weights=weights, conf_level=conf_level)

    def emulation(self, formula: str, treatment: str, start: str, grace: Sequence[float], times: Sequence[float], id: Optional[str] = None, *,
                  tau: Optional[float] = None, cohort: Optional[str] = None, conf_level: Optional[float] = None) -> Study:
        """A target trial: to start ``treatment`` (when: ``start``) within the grace period, or not to. ``grace``: ends of its steps, the last
        is its end; ``"Surv(time, event) ~ covariates"``: what decides who starts. ``times``: ends of the rows of the life table behind it,
        ``tau`` one of them. Clones, censored where they depart, and weighted."""
        return self.ask("emulation", id, formula=formula, treatment=treatment, start=start, grace=grace, times=times, tau=tau,
                        cohort=cohort, conf_level=conf_level)

    def logrank(self, formula: str, id: Optional[str] = None, *, rho: Optional[float] = None, trend: Optional[bool] = None,
                landmark: Optional[float] = None, cohort: Optional[str] = None) -> Study:
        """Log-rank test; ``rho=1``: Peto and Peto."""
        return self.ask("logrank", id, formula=formula, rho=rho, trend=trend, landmark=landmark, cohort=cohort)

    def cox(self, formula: str, id: Optional[str] = None, *, ties: Optional[str] = None, robust: Optional[bool] = None,
            zph: Union[bool, Sequence[str], None] = None, baseline: Optional[bool] = None, subgroups: Optional[Names] = None,
            adjusted: Optional[str] = None, times: Optional[Sequence[float]] = None,
            landmark: Optional[float] = None, cohort: Optional[str] = None, weights: Optional[Weights] = None,
            conf_level: Optional[float] = None) -> Study:
        """Cox model: ``"Surv(time, event) ~ age + strata(site)"``; ``zph``: test of proportional hazards; ``subgroups``: the first term's effect in each level."""
        return self.ask("cox", id, formula=formula, ties=ties, robust=robust, zph=zph if isinstance(zph, bool) or zph is None else list(zph),
                        baseline=baseline, subgroups=subgroups, adjusted=adjusted, times=times,
                        landmark=landmark, cohort=cohort, weights=weights, conf_level=conf_level)

    def cuminc(self, formula: str, id: Optional[str] = None, *, rho: Optional[float] = None, landmark: Optional[float] = None,
               cohort: Optional[str] = None, conf_level: Optional[float] = None) -> Study:
        """Cumulative incidence with Gray's test: ``"Surv(time, status) ~ groups"``, the first level of status is censoring."""
        return self.ask("cuminc", id, formula=formula, rho=rho, landmark=landmark, cohort=cohort, conf_level=conf_level)

    def finegray(self, formula: str, cause: str, id: Optional[str] = None, *, landmark: Optional[float] = None,
                 cohort: Optional[str] = None, conf_level: Optional[float] = None) -> Study:
        """Fine and Gray's model of the subdistribution of one cause."""
        return self.ask("finegray", id, formula=formula, cause=cause, landmark=landmark, cohort=cohort, conf_level=conf_level)

    # --- tables, tests, models ---

    def count(self, variables: Optional[Names] = None, id: Optional[str] = None, *, by: Optional[Names] = None,
              cohort: Optional[str] = None) -> Study:
        """Patients, in the cells of categories."""
        return self.ask("count", id, variables=variables, by=by, cohort=cohort)

    def describe(self, variables: Names, id: Optional[str] = None, *, by: Optional[Names] = None, cohort: Optional[str] = None,
                 weights: Optional[Weights] = None) -> Study:
        """Means, standard deviations, shares, missing values."""
        return self.ask("describe", id, variables=variables, by=by, cohort=cohort, weights=weights)

    def table1(self, variables: Names, id: Optional[str] = None, *, by: Optional[Names] = None, statistics: Optional[str] = None,
               overall: Optional[bool] = None, smd: Optional[bool] = None, p: Optional[bool] = None, cohort: Optional[str] = None) -> Study:
        """A paper's first table. ``statistics`` of numbers: median, mean or both; ``smd``: standardised differences; ``p``: tests."""
        return self.ask("table1", id, variables=variables, by=by, statistics=statistics, overall=overall, smd=smd, p=p, cohort=cohort)

    def quantile(self, variable: str, probs: Sequence[float] = (0.25, 0.5, 0.75), id: Optional[str] = None, *,
                 by: Optional[Names] = None, cohort: Optional[str] = None) -> Study:
        """Quantiles of the pooled values."""
        return self.ask("quantile", id, variable=variable, probs=probs, by=by, cohort=cohort)

    def histogram(self, variable: str, id: Optional[str] = None, *, breaks: Optional[Sequence[float]] = None,
                  width: Optional[float] = None, by: Optional[Names] = None, cohort: Optional[str] = None) -> Study:
        """Heads between edges (``breaks``), or in bars of a width."""
        return self.ask("histogram", id, variable=variable, breaks=breaks, width=width, by=by, cohort=cohort)

    def crosstab(self, variables: Names, id: Optional[str] = None, *, cohort: Optional[str] = None) -> Study:
        """Two to four categories against each other, with chi-squared and Fisher's test."""
        return self.ask("crosstab", id, variables=variables, cohort=cohort)

    def attrition(self, criteria: Names, id: Optional[str] = None, *, by: Optional[Names] = None, cohort: Optional[str] = None) -> Study:
        """Who is left after each criterion: ``criteria`` are booleans, in their order."""
        return self.ask("attrition", id, criteria=criteria, by=by, cohort=cohort)

    def pathways(self, variables: Names, id: Optional[str] = None, *, by: Optional[Names] = None, cohort: Optional[str] = None) -> Study:
        """Which treatment follows which: ``variables`` are the treatments of the lines, in their order."""
        return self.ask("pathways", id, variables=variables, by=by, cohort=cohort)

    def ttest(self, formula: str, id: Optional[str] = None, *, var_equal: Optional[bool] = None, cohort: Optional[str] = None,
              conf_level: Optional[float] = None) -> Study:
        """``"y ~ g"``: Welch's test, or Student's with ``var_equal``."""
        return self.ask("ttest", id, formula=formula, var_equal=var_equal, cohort=cohort, conf_level=conf_level)

    def anova(self, formula: str, id: Optional[str] = None, *, var_equal: Optional[bool] = None, cohort: Optional[str] = None) -> Study:
        """``"y ~ g"``: one-way analysis of variance."""
        return self.ask("anova", id, formula=formula, var_equal=var_equal, cohort=cohort)

    def correlation(self, variables: Names, id: Optional[str] = None, *, cohort: Optional[str] = None) -> Study:
        """Pearson's, of each with each."""
        return self.ask("correlation", id, variables=variables, cohort=cohort)

    def glm(self, formula: str, id: Optional[str] = None, *, family: Optional[str] = None, robust: Optional[bool] = None,
            subgroups: Optional[Names] = None, cohort: Optional[str] = None, weights: Optional[Weights] = None,
            conf_level: Optional[float] = None) -> Study:
        """Generalised linear model; ``family``: gaussian, binomial or poisson; ``subgroups``: the first term's effect in each level."""
        return self.ask("glm", id, family=family, formula=formula, robust=robust, subgroups=subgroups, cohort=cohort, weights=weights,
                        conf_level=conf_level)

    def gformula(self, formula: str, treatment: str, id: Optional[str] = None, *, family: Optional[str] = None, cohort: Optional[str] = None,
                 conf_level: Optional[float] = None) -> Study:
        """The g-formula: the mean of a model of the outcome, were everybody in each level of ``treatment``; ``family``: gaussian or binomial."""
        return self.ask("gformula", id, family=family, formula=formula, treatment=treatment, cohort=cohort, conf_level=conf_level)

    def smd(self, treatment: str, variables: Names, id: Optional[str] = None, *, cohort: Optional[str] = None,
            weights: Optional[Weights] = None) -> Study:
        """Standardised mean differences between two arms, before and after weighting."""
        return self.ask("smd", id, treatment=treatment, variables=variables, cohort=cohort, weights=weights)

    def meta(self, model: Mapping[str, Any], term: str, id: Optional[str] = None, *, cohort: Optional[str] = None,
             conf_level: Optional[float] = None) -> Study:
        """Each site's own fit, combined: ``meta({"method": "cox", "formula": "Surv(t, d) ~ age"}, "age")``."""
        return self.ask("meta", id, model=dict(model), term=term, cohort=cohort, conf_level=conf_level)

    def negative_controls(self, analysis: str, controls: Names, term: str, id: Optional[str] = None, *,
                          conf_level: Optional[float] = None) -> Study:
        """The effect of ``analysis`` beside those of ``controls``, whose outcomes the treatment cannot change, and calibrated by them."""
        return self.ask("negative_controls", id, analysis=analysis, controls=controls, term=term, conf_level=conf_level)
