"""What needs no program: the study file, finding the program, the recorded result of the R package."""
import json
import math
import os
import stat
import tempfile
import unittest
from unittest import mock

import maille
from maille import study as study_module

try:
    import pandas
except ImportError:
    pandas = None

EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "r", "inst", "extdata", "first-study.json")


def plain(id="s", **keys):
    return maille.Study(id, "rotterdam@1", purpose="research-public-interest", legal_basis="MR-004", expires="2099-12-31", **keys)


class StudyFile(unittest.TestCase):
    def test_quoting(self):
        self.assertEqual(study_module._text('a "b" \\ c: #d'), '"a \\"b\\" \\\\ c: #d"')
        self.assertEqual(study_module._text("l1\nl2\x01\u2028é😀"), '"l1\\nl2\\u0001\\u2028é😀"')
        with self.assertRaises(UnicodeEncodeError):
            study_module._text("\ud800")
        with self.assertRaises(ValueError):
            study_module._value(math.nan)
        with self.assertRaises(TypeError):
            study_module._value(object())

    def test_text(self):
        s = (plain(cohort='age >= 18 && grade == "3"', sites=["a", "b"]).derive(g="cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)")
             .km("Surv(dtime, death) ~ chemo").km("Surv(dtime, death) ~ 1", tau=3652.5, weights=maille.iptw("chemo ~ age", truncate=(0.01, 0.99)))
             .describe("age", by=["chemo", "meno"]).cox("Surv(dtime, death) ~ age", zph=["km"], robust=True))
        lines = str(s).splitlines()
        self.assertIn('cohort: "age >= 18 && grade == \\"3\\""', lines)
        self.assertIn("expires: 2099-12-31", lines)
        self.assertIn('sites: ["a", "b"]', lines)
        self.assertIn('  g: "cut(nodes, c(-Inf, 1, 4, 10, Inf), right = FALSE)"', lines)
        self.assertIn('  - { id: "km-2", method: "km", formula: "Surv(dtime, death) ~ 1", tau: 3652.5, '
                      'weights: { iptw: "chemo ~ age", truncate: [0.01, 0.99] } }', lines)
        self.assertIn('  - { id: "describe", method: "describe", variables: ["age"], by: ["chemo", "meno"] }', lines)
        self.assertIn('  - { id: "cox", method: "cox", formula: "Surv(dtime, death) ~ age", robust: true, zph: ["km"] }', lines)

    def test_chains_do_not_change_what_they_come_from(self):
        base = plain().count()
        base.km("Surv(dtime, death) ~ 1")
        self.assertEqual(len(base.analyses), 1)
        with self.assertRaisesRegex(ValueError, "once"):
            base.count(id="count")


class Program(unittest.TestCase):
    def fake(self, prints):
        folder = tempfile.mkdtemp(prefix="fake program ")
        self.addCleanup(__import__("shutil").rmtree, folder)
        path = os.path.join(folder, "maille")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho '{prints}'\n")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def test_found(self):
        good = '{"program": "maille", "version": "0.9.1", "interface": 1}'
        by_path, by_variable = self.fake(good), self.fake(good)
        with mock.patch.dict(os.environ, {"PATH": os.path.dirname(by_path) + ":" + os.environ["PATH"]}):
            os.environ.pop("MAILLE_PROGRAM", None)
            self.assertEqual(maille.program(), by_path)
            os.environ["MAILLE_PROGRAM"] = by_variable
            self.assertEqual(maille.program(), by_variable)
            self.assertEqual(maille.version(), "0.9.1")
            self.assertIn("0.9.1, interface 1", maille.sitrep())
            for prints, words in (('{"program": "maille", "version": "9", "interface": 99}', "interface is 1, found 99"), ("hello", "something else")):
                os.environ["MAILLE_PROGRAM"] = self.fake(prints)
                with self.assertRaisesRegex(maille.NotFound, words):
                    maille.program()
                self.assertIn("not usable", maille.sitrep())
            os.environ["MAILLE_PROGRAM"] = "/nowhere/maille"
            with self.assertRaisesRegex(maille.NotFound, "MAILLE_PROGRAM"):
                maille.program()
            del os.environ["MAILLE_PROGRAM"]
            os.environ["PATH"] = "/nowhere"
            with self.assertRaisesRegex(maille.NotFound, "found none"):
                maille.program()
            self.assertIn("not found", maille.sitrep())


class Recorded(unittest.TestCase):
    def setUp(self):
        self.r = maille.read(EXAMPLE)

    def test_whole(self):
        self.assertEqual(list(self.r), ["patients", "table1", "os", "os-test", "cox", "causes"])
        self.assertEqual(self.r.about["sites"], 6)
        self.assertEqual(sum(row["n"] for row in self.r["patients"].records()), 2966)
        self.assertEqual({a.n for a in self.r.values()}, {2966})
        self.assertIn("cox (cox): n 2966, missing 0, events 1259", repr(self.r))
        self.assertEqual(self.r["os-test"].records()[0]["observed"] + self.r["os-test"].records()[1]["observed"], 1259)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{}")
            file.flush()
            with self.assertRaisesRegex(ValueError, "other JSON"):
                maille.read(file.name)

    def test_model_without_pandas(self):
        cox = self.r["cox"]
        self.assertEqual(cox.ratio, "HR")
        self.assertEqual(cox.coefficients["chemoTRUE"], cox.records()[-1]["estimate"])
        for term, limits in zip(cox.records(), cox.confint(0.95).values()):
            self.assertAlmostEqual(term["conf_low"], limits[0], 9)
            self.assertAlmostEqual(term["conf_high"], limits[1], 9)
        self.assertEqual(len(cox.records("zph")), len(cox.terms))
        with self.assertRaisesRegex(KeyError, "nothing"):
            cox.records("nothing")

    def test_curve_without_pandas(self):
        os_ = self.r["os"]
        self.assertAlmostEqual(os_.median_survival_time_["chemo=FALSE"], 4078.625)
        at = os_.survival_at(3652.5)
        curve = os_.result["curves"][0]
        self.assertEqual(at["chemo=FALSE"], curve["estimate"][max(i for i, t in enumerate(curve["time"]) if t <= 3652.5)])
        self.assertEqual(os_.survival_at(1)["chemo=TRUE"], 1)
        self.assertTrue(math.isnan(os_.survival_at(1e9)["chemo=TRUE"]))
        self.assertEqual(os_.at_risk(0), {"chemo=FALSE": 2387, "chemo=TRUE": 579})
        self.assertEqual(os_.at_risk(curve["time"][10])["chemo=FALSE"], curve["n_risk"][10])
        self.assertEqual(os_.at_risk(1e9)["chemo=FALSE"], 0)
        curve["median"] = None
        self.assertEqual(os_.median_survival_time_["chemo=FALSE"], math.inf)

    def test_table_one(self):
        table1 = self.r["table1"]
        self.assertIsInstance(table1, maille.TableOne)
        rows = table1.table_one()
        by_label = {row["label"]: row for row in rows}
        no, yes, everybody = table1.columns().values()
        self.assertEqual((no, yes, everybody), ("Chemotherapy: No, n = 2387", "Chemotherapy: Yes, n = 579", "All patients, n = 2966"))
        source = {(row["variable"], row.get("value"), row["level"]): row for row in table1.result["variables"]}
        age, small = source["age", None, "TRUE"], source["size", ">50", "FALSE"]
        self.assertEqual(by_label["Age at surgery, median (Q1–Q3)"][yes], f"{age['median']:g} ({age['q1']:g}–{age['q3']:g})")
        self.assertEqual(by_label["  over 50 mm"][no], f"{small['n']} ({100 * small['share']:.1f} %)")
        compared = {(row["variable"], row.get("value")): row for row in table1.result["comparisons"]}
        self.assertEqual(by_label["Age at surgery, median (Q1–Q3)"]["smd"], compared["age", None]["smd"])
        self.assertEqual(by_label["Tumour size, n (%)"]["p"], compared["size", None]["p_value"])
        small["n"] = small["share"] = None
        self.assertEqual({row["label"]: row for row in table1.table_one()}["  over 50 mm"][no], "hidden")

    def test_synthetic(self):
        self.assertNotIn("Synthetic", repr(self.r) + repr(self.r["cox"]))
        with open(EXAMPLE, encoding="utf-8") as file:
            content = json.load(file)
        content["synthetic"] = True
        r = maille.Result(content)
        self.assertEqual(repr(r).count("Synthetic data"), 1)
        self.assertTrue(repr(r["cox"]).startswith("Synthetic data"))

    def test_sandbox_wants_data_or_none(self):
        with self.assertRaisesRegex(TypeError, "neither"):
            maille.Sandbox(dictionary="d.yaml")
        with self.assertRaisesRegex(TypeError, "both"):
            maille.Sandbox("d.csv", "d.yaml", synthetic=10)

    def test_hidden_and_refused(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            content = json.load(file)
        content["analyses"][0] = {"id": "patients", "method": "count", "status": "refused", "rule": "min_cell", "reason": "too few"}
        hidden = content["analyses"][2]["result"]["curves"][1]
        for key in set(hidden) - {"stratum", "n"}:
            hidden[key] = None
        r = maille.Result(content)
        self.assertFalse(r["patients"].ok)
        self.assertIn("refused: too few", repr(r))
        with self.assertRaisesRegex(maille.MailleError, "min_cell"):
            r["patients"].records()
        self.assertTrue(math.isnan(r["os"].median_survival_times["chemo=TRUE"]))
        self.assertEqual(list(r["os"].survival_at(100)), ["chemo=FALSE"])

    @unittest.skipIf(pandas is None, "pandas")
    def test_lifelines_names(self):
        os_, cox = self.r["os"], self.r["cox"]
        survival = os_.survival_function_
        self.assertEqual(list(survival.columns), ["chemo=FALSE", "chemo=TRUE"])
        self.assertEqual(survival.index.name, "timeline")
        self.assertEqual(list(survival.loc[0]), [1, 1])
        for stratum, value in os_.survival_at(1826.25).items():
            self.assertEqual(survival.loc[1826.25, stratum], value)
        self.assertTrue((os_.cumulative_density_ == 1 - survival).all(axis=None) or survival.isna().any(axis=None))
        ends = sorted(curve["time"][-1] for curve in os_.result["curves"])
        self.assertEqual(list(survival.loc[ends[-1]].isna()).count(True), 1)  # no curve goes on behind its end
        limits = os_.confidence_interval_
        self.assertEqual(list(limits.columns)[:2], ["chemo=FALSE_lower_0.95", "chemo=FALSE_upper_0.95"])
        at = limits.index[50]
        self.assertTrue(limits.loc[at, "chemo=FALSE_lower_0.95"] < survival.loc[at, "chemo=FALSE"] < limits.loc[at, "chemo=FALSE_upper_0.95"])
        self.assertEqual(os_.event_table["observed"].sum(), 1259)
        self.assertEqual(os_.summary.loc["chemo=TRUE", "n"], 579)
        self.assertAlmostEqual(cox.hazard_ratios_["chemoTRUE"], math.exp(cox.params_["chemoTRUE"]))
        self.assertEqual(list(cox.summary.columns), ["coef", "exp(coef)", "se(coef)", "coef lower 95%", "coef upper 95%", "exp(coef) lower 95%",
                                                     "exp(coef) upper 95%", "z", "p"])
        self.assertAlmostEqual(cox.variance_matrix_.loc["age", "age"] ** 0.5, cox.standard_errors_["age"], 12)
        self.assertAlmostEqual(cox.AIC_partial_, 2 * len(cox.terms) - 2 * cox.log_likelihood_, 8)
        self.assertTrue(0.6 < cox.concordance_index_ < 0.8)
        cox.result["terms"][0]["robust_se"] = 7.0
        self.assertEqual(cox.standard_errors_["age"], 7)
        self.assertEqual(cox.summary.loc["age", "se(coef)"], 7)
        with self.assertRaises(AttributeError):
            cox.odds_ratios_
        causes = self.r["causes"].cumulative_density_
        self.assertEqual(causes.shape[1], 4)
        self.assertTrue((causes.sum(axis=1) <= 2).all())
        self.assertEqual(len(self.r["causes"].gray_), 2)
        risk = self.r["causes"].event_table
        self.assertEqual(list(risk.groupby("stratum").first()["at_risk"]), [2387, 579])
        self.assertEqual(risk["observed"].sum(), self.r["causes"].n_event)
        self.assertEqual(self.r["table1"].table_one_.shape, (len(self.r["table1"].table_one()), 5))

    @unittest.skipIf(pandas is None, "pandas")
    def test_figures(self):
        try:
            import matplotlib
        except ImportError:
            self.skipTest("matplotlib")
        matplotlib.use("svg")
        import matplotlib.pyplot as plt
        drawn = self.r["cox"].plot()
        self.assertEqual(drawn.get_xscale(), "log")
        self.assertIn("Chemotherapy", [text.get_text() for text in drawn.get_yticklabels()])
        drawn = self.r["os"].plot(at_risk=[0, 1826.25, 3652.5])
        numbers = {text.get_text() for text in drawn.texts}
        self.assertLessEqual({f"{n:g}" for n in self.r["os"].at_risk(1826.25).values()}, numbers)
        drawn = self.r["causes"].plot()
        legend = [text.get_text() for text in drawn.get_legend().get_texts()]
        self.assertEqual(legend[:2], ["Chemotherapy: No; relapse", "Chemotherapy: No; death"])
        with tempfile.TemporaryDirectory() as folder:
            for number in plt.get_fignums():
                path = os.path.join(folder, f"{number}.svg")
                plt.figure(number).savefig(path, bbox_inches="tight")
                self.assertGreater(os.path.getsize(path), 5000)
        plt.close("all")

    def test_without_pandas_it_says_so(self):
        with mock.patch.dict("sys.modules", {"pandas": None}):
            with self.assertRaisesRegex(ImportError, "records"):
                self.r["os"].survival_function_
