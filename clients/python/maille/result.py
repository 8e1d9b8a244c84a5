"""Result files. Tables are pandas objects under the names that lifelines uses; ``records()`` needs nothing but the standard library."""
from __future__ import annotations

import itertools
import json
import math
import os
import tempfile
from statistics import NormalDist
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from .program import MailleError, run_quietly

Record = Dict[str, Any]

#: Colours that are told apart by everybody (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442")


#: What every output of made-up patients says, as the program does.
SYNTHETIC = "Synthetic data: made up, no patient"


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise ImportError("expected pandas for a table, found none; install it, or use records()") from None
    return pandas


def _axes(ax: Any) -> Any:
    try:
        import matplotlib.pyplot
    except ImportError:
        raise ImportError("expected matplotlib for a figure, found none; install it") from None
    return matplotlib.pyplot.subplots()[1] if ax is None else ax


def _number(value: Optional[float]) -> float:
    return math.nan if value is None else float(value)


def _flat(item: Mapping[str, Any], prefix: str = "") -> Record:
    """What is single in an object; objects inside give keys joined by "_"."""
    out: Record = {}
    for key, value in item.items():
        if isinstance(value, Mapping):
            out.update(_flat(value, f"{prefix}{key}_"))
        elif not isinstance(value, list):
            out[prefix + key] = value
    return out


def read(path: Union[str, "os.PathLike[str]"]) -> Result:
    """Reads a result file (``maille run --json``)."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except ValueError as problem:
        raise ValueError(f"expected a result file of maille at {os.fspath(path)}: {problem}") from None
    if not isinstance(content, dict) or "maille" not in content or "analyses" not in content:
        raise ValueError(f"expected a result file of maille at {os.fspath(path)}, found other JSON")
    return Result(content)


class Result(Mapping[str, "Analysis"]):
    """The analyses by their ids; ``about``: what is said of the study (docs/RESULT.md of maille)."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.about: Record = {key: value for key, value in content.items() if key != "analyses"}
        self._analyses = {entry["id"]: _analysis_of(entry, self.about) for entry in content["analyses"]}

    def __getitem__(self, id: str) -> Analysis:
        return self._analyses[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._analyses)

    def __len__(self) -> int:
        return len(self._analyses)

    def report(self, out: Union[str, "os.PathLike[str]", None] = None, figures: Union[str, "os.PathLike[str]", None] = None,
               format: str = "svg") -> None:
        """The page that the program writes (``out``), and its figures as files in a folder: svg, pdf or png."""
        if out is None and figures is None:
            raise ValueError("expected a file for the page (out) or a folder for the figures (figures), found neither")
        with tempfile.TemporaryDirectory(prefix="maille-report-") as folder:
            path = os.path.join(folder, "result.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(self._content, file)
            options = [word for name, value in (("out", out), ("figures", figures)) if value is not None for word in (f"--{name}", os.fspath(value))]
            run_quietly(["report", *options, "--format", format, path])

    def __repr__(self) -> str:
        lines = [f"{self.about['study']}: {self.about.get('sites')} sites, query {str(self.about.get('query'))[:8]}"]
        if self.about.get("synthetic"):
            lines.insert(0, SYNTHETIC)
        return "\n".join(lines + [f"  {analysis._heading()}" for analysis in self.values()])


def _analysis_of(entry: Record, about: Record) -> Analysis:
    if entry["method"] == "km":
        return KaplanMeier(entry, about)
    if entry["method"] == "cuminc":
        return CumulativeIncidence(entry, about)
    if entry["method"] == "table1":
        return TableOne(entry, about)
    if entry["method"] in ("cox", "finegray", "glm"):
        return Model(entry, about)
    return Analysis(entry, about)


class Analysis:
    """One analysis. ``status`` is ``ok``, ``refused`` or ``failed``; ``rule`` and ``reason`` say why; ``result`` is that of the file."""

    #: The lists of objects that are the table of a method.
    _TABLES = ("means", "terms", "groups", "steps", "flows", "variables", "gray", "curves")

    def __init__(self, entry: Record, about: Record) -> None:
        self.id: str = entry["id"]
        self.method: str = entry["method"]
        self.status: str = entry["status"]
        self.rule: Optional[str] = entry.get("rule")
        self.reason: Optional[str] = entry.get("reason")
        self.n: Optional[int] = entry.get("n")
        self.n_missing: Optional[int] = entry.get("n_missing")
        self.n_event: Optional[int] = entry.get("n_event")
        self.warnings: List[str] = entry.get("warnings", [])
        self.asked: Record = entry.get("asked") or {}
        self.frame: Record = entry.get("frame") or {}
        self._result: Optional[Record] = entry.get("result")
        self._about = about

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    @property
    def result(self) -> Record:
        if self._result is None:
            raise MailleError(f"{self.id} was {self.status}{f' ({self.rule})' if self.rule else ''}: {self.reason}")
        return self._result

    @property
    def conf_level(self) -> float:
        return float(self.asked.get("conf_level", 0.95))

    def label(self, name: str) -> str:
        """The dictionary's label of a variable; its name where there is none."""
        variables = (self._about.get("dictionary") or {}).get("variables", [])
        return next((str(v["label"]) for v in variables if v["name"] == name), name)

    @property
    def synthetic(self) -> bool:
        """Made-up patients: ``Sandbox(synthetic=...)``."""
        return bool(self._about.get("synthetic"))

    def level_label(self, name: str, level: str) -> str:
        """The dictionary's word for a level (or that of a factor of the formula), else Yes and No of TRUE and FALSE, else its own."""
        for of in [*self.frame.get("factors", []), *(self._about.get("dictionary") or {}).get("variables", [])]:
            if of["name"] == name and of.get("labels") and level in of["levels"]:
                return str(of["labels"][of["levels"].index(level)])
        return {"TRUE": "Yes", "FALSE": "No"}.get(level, level)

    def stratum_label(self, stratum: str) -> str:
        """``chemo=TRUE`` in the dictionary's words: ``Chemotherapy: Yes``."""
        factors = [factor for factor in self.frame.get("factors", []) if factor["levels"]]
        for levels in itertools.product(*(factor["levels"] for factor in factors)):
            if factors and stratum == ", ".join(f"{f['name']}={level}" for f, level in zip(factors, levels)):
                return ", ".join(f"{self.label(f['name'])}: {self.level_label(f['name'], level)}" for f, level in zip(factors, levels))
        return stratum

    def _mark(self, ax: Any) -> Any:
        """A figure of made-up patients says so."""
        if self.synthetic:
            ax.annotate(SYNTHETIC, (1, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points", ha="right", fontsize="x-small")
        return ax

    def records(self, part: Optional[str] = None) -> List[Record]:
        """The main table, or another one of the result (``"zph"``), a dictionary a row; ``None`` where a number may not be told."""
        result = self.result
        if part is None:
            part = next((name for name in self._TABLES if isinstance(result.get(name), list) and result[name] and isinstance(result[name][0], dict)),
                        None)
            if part is None:
                return self._cells() if self.method == "crosstab" else [_flat(result)]
        table = result.get(part)
        if isinstance(table, dict):
            table = [table]
        if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
            raise KeyError(f"expected a table of the result of {self.id}, found {part!r}")
        return [longer for row in table for longer in self._rows(row)]

    def _cells(self) -> List[Record]:
        """Of a crosstab: the levels, and how many."""
        variables, levels = self.result["variables"], self.result["levels"]

        def walk(counts: Any, depth: int, at: Record) -> Iterator[Record]:
            if depth == len(variables):
                yield {**at, "n": counts}
                return
            for level, inner in zip(levels[depth], counts):
                yield from walk(inner, depth + 1, {**at, variables[depth]: level})

        return list(walk(self.result["counts"], 0, {}))

    @staticmethod
    def _rows(row: Record) -> List[Record]:
        """Parallel lists are rows: quantiles, bars of a histogram, times of a curve."""
        single = _flat(row)
        if "probs" in row:
            return [{**single, "prob": p, "value": v} for p, v in zip(row["probs"], row["values"])]
        if "breaks" in row and row["counts"] and not isinstance(row["counts"][0], list):
            return [{**single, "from": a, "to": b, "n": n} for a, b, n in zip(row["breaks"], row["breaks"][1:], row["counts"])]
        if isinstance(row.get("time"), list):
            lists = {key: value for key, value in row.items() if isinstance(value, list) and len(value) == len(row["time"])}
            names = {key: value for key, value in single.items() if isinstance(value, str)}
            return [{**names, **dict(zip(lists, values))} for values in zip(*lists.values())]
        return [single]

    def to_frame(self, part: Optional[str] = None) -> Any:
        """``records()`` as a pandas data frame."""
        frame = _pandas().DataFrame.from_records(self.records(part))
        frame.attrs["synthetic"] = self.synthetic
        return frame

    def __repr__(self) -> str:
        return f"{SYNTHETIC}\n{self._heading()}" if self.synthetic else self._heading()

    def _heading(self) -> str:
        if not self.ok:
            return f"{self.id} ({self.method}): {self.status}: {self.reason}"
        heads = ", ".join(f"{name} {value}" for name, value in (("n", self.n), ("missing", self.n_missing), ("events", self.n_event))
                          if value is not None)
        return f"{self.id} ({self.method}): {heads}"


class TableOne(Analysis):
    """A paper's first table."""

    def columns(self) -> Dict[Optional[str], str]:
        """The groups in their order, as the result names them (``None``: all patients), and their headings."""
        out: Dict[Optional[str], str] = {}
        for group in self.result["groups"]:
            by, level = group.get("by"), group.get("level")
            words = "All patients" if level is None else level if by is None or "," in by else f"{self.label(by)}: {self.level_label(by, level)}"
            out[level] = f"{words}, n = {'hidden' if group['n'] is None else group['n']}"
        return out

    def table_one(self) -> List[Record]:
        """A row a number (median and quartiles, mean and SD) or a level (n and %): ``label``, a text for each heading of ``columns()``, and
        ``smd`` and ``p`` where they were asked for. A number that may not be told is ``hidden``."""
        headings = self.columns()
        compared = {(row["variable"], row.get("value")): row for row in self.result.get("comparisons") or []}
        cells: Dict[Tuple[str, Optional[str]], Dict[Optional[str], Record]] = {}
        for row in self.result["variables"]:
            cells.setdefault((row["variable"], row.get("value")), {})[row.get("level")] = row
        statistics = {"both": ("median", "mean")}.get(self.asked["statistics"], (self.asked["statistics"],))
        out: List[Record] = []

        def line(label: str, text: Any, groups: Mapping[Optional[str], Record], found: Mapping[str, Any]) -> None:
            row: Record = {"label": label, **{heading: text(groups[level]) if level in groups else "" for level, heading in headings.items()}}
            for key, name in (("smd", "smd"), ("p_value", "p")):
                if self.asked.get(name):
                    row[name] = found.get(key)
            out.append(row)

        def told(row: Record, *keys: str) -> bool:
            return all(row.get(key) is not None for key in keys)

        texts: Dict[str, Any] = {
            "median": lambda r: f"{r['median']:g} ({r['q1']:g}\u2013{r['q3']:g})" if told(r, "median", "q1", "q3") else "hidden",
            "mean": lambda r: f"{r['mean']:.1f} ({r['sd']:.1f})" if told(r, "mean", "sd") else "hidden",
            "share": lambda r: f"{r['n']} ({100 * r['share']:.1f} %)" if told(r, "n", "share") else "hidden",
            "missing": lambda r: "hidden" if r.get("missing") is None else str(r["missing"]),
        }
        said = {"median": "median (Q1\u2013Q3)", "mean": "mean (SD)"}
        for variable in dict.fromkeys(variable for variable, _ in cells):
            levels = [value for name, value in cells if name == variable and value is not None]
            own = compared.get((variable, None), {})
            if levels:
                line(f"{self.label(variable)}, n (%)", None, {}, own)
                for level in levels:
                    line(f"  {self.level_label(variable, level)}", texts["share"], cells[variable, level], compared.get((variable, level), {}))
            for statistic in () if levels else statistics:
                line(f"{self.label(variable)}, {said[statistic]}", texts[statistic], cells[variable, None],
                     own if statistic == statistics[0] else {})
            first = cells[variable, levels[0] if levels else None]
            if any(row.get("missing") != 0 for row in first.values()):
                line("  missing", texts["missing"], first, {})
        return out

    @property
    def table_one_(self) -> Any:
        """``table_one()`` as a pandas data frame with the labels as its index."""
        frame = _pandas().DataFrame.from_records(self.table_one()).set_index("label")
        frame.attrs["synthetic"] = self.synthetic
        return frame


class _Curves(Analysis):
    """Curves of a result, one a stratum (and cause)."""

    _SAME: Tuple[str, ...] = ("stratum",)

    def _name(self, curve: Mapping[str, Any]) -> str:
        return ", ".join(str(curve[key]) for key in self._SAME)

    def _words(self, curve: Mapping[str, Any]) -> str:
        """For a legend."""
        return self.stratum_label(str(curve["stratum"]))

    def _curves(self) -> List[Record]:
        """Those that are told; an arm that was hidden to protect patients has no times."""
        return [curve for curve in self.result["curves"] if isinstance(curve.get("time"), list) and curve["time"]]

    def _columns(self, start: Optional[float], **columns: str) -> Any:
        """Wide: a column a curve for each of ``columns`` ({suffix: key}), over all times; between its own times a curve is constant."""
        pandas = _pandas()
        series = {}
        for curve in self._curves():
            for suffix, key in columns.items():
                values = [_number(v) for v in curve[key]]
                index = list(curve["time"])
                if start is not None:
                    index, values = [0.0, *index], [start, *values]
                series[self._name(curve) + suffix] = pandas.Series(values, index=pandas.Index(index, name="timeline"))
        frame = pandas.DataFrame(series).sort_index()
        for curve in self._curves():
            for suffix in columns:
                column = frame[self._name(curve) + suffix]
                frame[self._name(curve) + suffix] = column.ffill().where(frame.index <= curve["time"][-1])
        frame.index.name = "timeline"
        return frame

    @property
    def confidence_interval_(self) -> Any:
        """Limits, ``<curve>_lower_<level>`` and ``<curve>_upper_<level>``."""
        level = format(self.conf_level, "g")
        return self._columns(None, **{f"_lower_{level}": "conf_low", f"_upper_{level}": "conf_high"})

    def _plot(self, ax: Any, start: float, ci: bool, label: str) -> Any:
        ax = _axes(ax)
        for i, curve in enumerate(self._curves()):
            colour = _COLOURS[i % len(_COLOURS)]
            time = [0.0, *curve["time"]]
            ax.step(time, [start, *map(_number, curve["estimate"])], where="post", color=colour, label=self._words(curve))
            if ci:
                ax.fill_between(time, [start, *map(_number, curve["conf_low"])], [start, *map(_number, curve["conf_high"])], step="post",
                                alpha=0.15, color=colour, linewidth=0)
        units = self.frame.get("time_units")
        ax.set_xlabel(f"Time ({units})" if units else "Time")
        ax.set_ylabel(label)
        ax.set_ylim(0, 1.02)
        ax.set_xlim(left=0)
        if len(self._curves()) > 1:
            ax.legend(frameon=False)
        return self._mark(ax)


class KaplanMeier(_Curves):
    """Kaplan-Meier curves under lifelines' names, one column a stratum (``all`` where there is one). Times lie on the grid of the study."""

    @property
    def survival_function_(self) -> Any:
        return self._columns(1.0, **{"": "estimate"})

    @property
    def cumulative_density_(self) -> Any:
        return 1 - self.survival_function_

    @property
    def median_survival_times(self) -> Dict[str, float]:
        """By stratum; infinite where the curve does not come down to one half, nan where it may not be told."""
        return {curve["stratum"]: _number(curve["median"]) if curve.get("median") is not None or curve not in self._curves() else math.inf
                for curve in self.result["curves"]}

    @property
    def median_survival_time_(self) -> Union[float, Dict[str, float]]:
        """A number where there is one curve, else a number a stratum."""
        medians = self.median_survival_times
        return next(iter(medians.values())) if len(medians) == 1 else medians

    @property
    def event_table(self) -> Any:
        """Long: stratum, time, at risk, observed and censored."""
        table = self.to_frame()
        return table.rename(columns={"time": "event_at", "n_risk": "at_risk", "n_event_at": "observed", "n_censor": "censored"})[
            ["stratum", "event_at", "at_risk", "observed", "censored"]]

    @property
    def summary(self) -> Any:
        """A row a stratum: patients, events, median with its limits, restricted mean where asked."""
        return _pandas().DataFrame.from_records([_flat(curve) for curve in self.result["curves"]]).set_index("stratum")

    def survival_at(self, time: float) -> Dict[str, float]:
        """Survival at a time, by stratum; nan behind the end of the curve."""
        out = {}
        for curve in self._curves():
            before = [s for t, s in zip(curve["time"], curve["estimate"]) if t <= time]
            out[curve["stratum"]] = math.nan if time > curve["time"][-1] else _number(before[-1]) if before else 1.0
        return out

    def at_risk(self, time: float) -> Dict[str, float]:
        """At risk just before a time, by stratum."""
        out = {}
        for curve in self._curves():
            after = [n for t, n in zip(curve["time"], curve["n_risk"]) if t >= time]
            out[curve["stratum"]] = _number(after[0]) if after else math.nan if None in curve["n_risk"] else 0.0
        return out

    def plot(self, ax: Any = None, *, ci: bool = True, at_risk: Optional[List[float]] = None) -> Any:
        """Steps with bands; ``at_risk``: times at which the numbers at risk stand under the axis. The matplotlib axes."""
        ax = self._plot(ax, 1.0, ci, "Survival")
        if at_risk:
            ax.set_xticks(at_risk)
            ax.xaxis.labelpad = 4 + 14 * len(self._curves())
            columns = [self.at_risk(time) for time in at_risk]
            for i, curve in enumerate(self._curves()):
                place: Dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "annotation_clip": False,
                                         "color": _COLOURS[i % len(_COLOURS)], "fontsize": "small", "va": "top"}
                for time, column in zip(at_risk, columns):
                    ax.annotate(f"{column[curve['stratum']]:g}", (time, 0), (0, -22 - 14 * i), ha="center", **place)
        return ax


class CumulativeIncidence(_Curves):
    """Cumulative incidence; a column a stratum and cause."""

    _SAME = ("stratum", "cause")

    @property
    def cumulative_density_(self) -> Any:
        return self._columns(0.0, **{"": "estimate"})

    def _words(self, curve: Mapping[str, Any]) -> str:
        cause, status = str(curve["cause"]), self.frame.get("status") or {}
        if status.get("labels") and cause in status["levels"]:
            cause = str(status["labels"][status["levels"].index(cause)])
        return cause if curve["stratum"] == "all" else f"{self.stratum_label(str(curve['stratum']))}; {cause}"

    @property
    def event_table(self) -> Any:
        """Long: stratum, time, at risk, observed (of any cause) and censored."""
        table = self.to_frame("risk_sets")
        return table.rename(columns={"time": "event_at", "n_risk": "at_risk", "n_event_at": "observed", "n_censor": "censored"})[
            ["stratum", "event_at", "at_risk", "observed", "censored"]]

    @property
    def gray_(self) -> List[Record]:
        """Gray's test by cause."""
        return self.records("gray") if self.result.get("gray") else []

    def plot(self, ax: Any = None, *, ci: bool = True) -> Any:
        """Steps with bands. The matplotlib axes."""
        return self._plot(ax, 0.0, ci, "Cumulative incidence")


class Model(Analysis):
    """Cox, Fine-Gray and generalised linear models under lifelines' names. Standard errors are the robust ones where those were asked for."""

    def _series(self, values: List[float], name: str) -> Any:
        pandas = _pandas()
        return pandas.Series(values, index=pandas.Index(self.terms, name="covariate"), name=name)

    def _column(self, key: str) -> List[float]:
        return [_number(term.get(key)) for term in self.result["terms"]]

    @property
    def terms(self) -> List[str]:
        return [term["term"] for term in self.result["terms"]]

    @property
    def coefficients(self) -> Dict[str, float]:
        """Estimates by term, without pandas; nan of a term that follows from those before it."""
        return dict(zip(self.terms, self._column("estimate")))

    @property
    def params_(self) -> Any:
        return self._series(self._column("estimate"), "coef")

    @property
    def standard_errors_(self) -> Any:
        return self._series(self._errors(), "se")

    def _errors(self) -> List[float]:
        return [_number(t["std_error"] if t.get("robust_se") is None else t["robust_se"]) for t in self.result["terms"]]

    @property
    def ratio(self) -> Optional[str]:
        """What the exponential of a coefficient is called; None where it is nothing."""
        if self.method != "glm":
            return "HR" if self.method == "cox" else "SHR"
        return {("binomial", "logit"): "OR", ("poisson", "log"): "RR"}.get((self.result["family"], self.result["link"]))

    def _ratios(self, expected: str) -> Any:
        if self.ratio is None or not self.ratio.endswith(expected):
            raise AttributeError(f"expected a model with {expected}, found {self.id} ({self.method}), whose ratio is {self.ratio}")
        return self._series([math.exp(x) for x in self._column("estimate")], "exp(coef)")

    @property
    def hazard_ratios_(self) -> Any:
        return self._ratios("HR")

    @property
    def odds_ratios_(self) -> Any:
        return self._ratios("OR")

    @property
    def rate_ratios_(self) -> Any:
        return self._ratios("RR")

    @property
    def confidence_intervals_(self) -> Any:
        pandas = _pandas()
        level = format(100 * self.conf_level, "g")
        return pandas.DataFrame({f"{level}% lower-bound": self._column("conf_low"), f"{level}% upper-bound": self._column("conf_high")},
                                index=pandas.Index(self.terms, name="covariate"))

    @property
    def variance_matrix_(self) -> Any:
        """Of the terms that have an estimate."""
        pandas = _pandas()
        known = [i for i, value in enumerate(self._column("estimate")) if not math.isnan(value)]
        rows = self.result["vcov"]
        if rows is None:
            raise ValueError("the covariances are withheld: a pair of levels of the model's factors holds too few patients")
        if len(rows) == len(self.terms):
            rows = [[rows[i][j] for j in known] for i in known]
        names = [self.terms[i] for i in known]
        return pandas.DataFrame([[_number(v) for v in row] for row in rows], index=names, columns=names)

    @property
    def summary(self) -> Any:
        pandas = _pandas()
        level = format(100 * self.conf_level, "g")
        low, high = self._column("conf_low"), self._column("conf_high")
        columns: Dict[str, List[float]] = {"coef": self._column("estimate")}
        if self.ratio is not None:
            columns["exp(coef)"] = [math.exp(x) for x in columns["coef"]]
        columns["se(coef)"] = self._errors()
        columns[f"coef lower {level}%"], columns[f"coef upper {level}%"] = low, high
        if self.ratio is not None:
            columns[f"exp(coef) lower {level}%"] = [math.exp(x) for x in low]
            columns[f"exp(coef) upper {level}%"] = [math.exp(x) for x in high]
        columns["z"], columns["p"] = self._column("statistic"), self._column("p_value")
        return pandas.DataFrame(columns, index=pandas.Index(self.terms, name="covariate"))

    def confint(self, level: float) -> Dict[str, List[float]]:
        """Limits at another level, by the normal distribution: low and high by term."""
        z = NormalDist().inv_cdf(1 - (1 - level) / 2)
        return {term: [b - z * se, b + z * se] for term, b, se in zip(self.terms, self._column("estimate"), self._errors())}

    @property
    def log_likelihood_(self) -> float:
        if self.method == "glm":
            parameters = sum(not math.isnan(x) for x in self._column("estimate")) + (self.result["family"] == "gaussian")
            return float(parameters - self.result["aic"] / 2)
        return float(self.result["loglik"][1])

    @property
    def AIC_(self) -> float:
        return float(self.result["aic"])

    @property
    def AIC_partial_(self) -> float:
        """lifelines' name for that of a Cox model."""
        return self.AIC_

    @property
    def concordance_index_(self) -> float:
        return _number((self.result.get("concordance") or {}).get("estimate"))

    def plot(self, ax: Any = None, *, ratios: Optional[bool] = None) -> Any:
        """A forest; ratios on a log axis where they mean something. The matplotlib axes."""
        ax = _axes(ax)
        ratios = self.ratio is not None if ratios is None else ratios
        rows = [t for t in self.result["terms"] if t["estimate"] is not None and t["term"] != "(Intercept)"][::-1]

        def value(x: float) -> float:
            return math.exp(x) if ratios else x

        for y, term in enumerate(rows):
            ax.plot([value(term["conf_low"]), value(term["conf_high"])], [y, y], color=_COLOURS[0])
            ax.plot([value(term["estimate"])], [y], "s", color=_COLOURS[0])
        ax.axvline(1 if ratios else 0, linestyle="--", color="0.5", linewidth=1)
        if ratios:
            ax.set_xscale("log")
            low, high = ax.get_xlim()
            ticks = [t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100) if low <= t <= high]
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.set_xticks([], minor=True)
        ax.set_yticks(range(len(rows)), [self._term_label(t["term"]) for t in rows])
        ax.set_xlabel(f"{self.ratio if ratios else 'Estimate'} ({100 * self.conf_level:g} % CI)")
        return self._mark(ax)

    def _term_label(self, term: str) -> str:
        for factor in self.frame.get("factors", []):
            name, levels = factor["name"], factor["levels"]
            if term == name or (levels == ["FALSE", "TRUE"] and term == f"{name}TRUE"):
                return self.label(name)
            if levels and term.startswith(name) and term[len(name):] in levels:
                return f"{self.label(name)}: {self.level_label(name, term[len(name):])}"
        return term
