"""Against the programs of a build: real sites, real sockets. Skipped where there is no maille."""
import inspect
import json
import os
import tempfile
import unittest

import maille
from maille.program import run_quietly
from tests.test_offline import EXAMPLE, plain

REPOSITORY = os.path.join(os.path.dirname(__file__), "..", "..", "..")
DICTIONARY = os.path.join(REPOSITORY, "examples", "rotterdam", "dictionary.yaml")
DATA = os.path.join(REPOSITORY, "examples", "rotterdam", "rotterdam.csv")

try:
    maille.program()
    FOUND = True
except maille.NotFound:
    FOUND = False


@unittest.skipUnless(FOUND, "the program maille")
class WithProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="a folder ")
        cls.net = maille.Sandbox(DATA, DICTIONARY, directory=os.path.join(cls.folder.name, "a sand box"))

    @classmethod
    def tearDownClass(cls):
        cls.net.close()
        cls.folder.cleanup()

    def test_check(self):
        s = (plain(title='Quotes " and \\ and é: #').derive(f="cut(recur * 1 + (death && !recur) * 2, c(-Inf, 1, 2, Inf), right = FALSE)")
             .count("chemo").table1(["age", "size"], by="chemo", smd=True).describe(["age", "size"], by="chemo").quantile("pgr").histogram("age", width=10).crosstab(["grade", "size"])
             .ttest("age ~ chemo").anova("nodes ~ size", var_equal=False).correlation(["age", "nodes"])
             .glm("death ~ age", family="binomial", robust=True).gformula("death ~ chemo + age", "chemo", family="binomial")
             .km("Surv(dtime, death) ~ chemo", conf_type="log-log", conf_level=0.9)
             .emulation("Surv(dtime, death) ~ age", "recur", "rtime", grace=[365.25, 730.5], times=[1826.25], tau=1826.25)
             .logrank("Surv(dtime, death) ~ chemo", trend=True, landmark=365).cox("Surv(dtime, death) ~ age", zph=["km"], baseline=True)
             .cuminc("Surv(rtime, f) ~ chemo").finegray("Surv(rtime, f) ~ age", cause="[1,2)")
             .smd("chemo", "age", weights=maille.iptw("chemo ~ age + size", stabilised=True))
             .meta({"method": "cox", "formula": "Surv(dtime, death) ~ age"}, "age")
             .cox("Surv(rtime, recur) ~ age", "relapse").negative_controls("cox", ["relapse"], "age"))
        answer = maille.check(s, DICTIONARY)
        self.assertTrue(answer, answer.findings)
        self.assertEqual([a["id"] for a in answer.analyses], [a["id"] for a in s.analyses])
        wrong = maille.check(plain(title="t").km("Surv(dtime, deaht) ~ 1"), DICTIONARY)
        self.assertFalse(wrong.valid)
        self.assertIn("death", wrong.findings[0].hint)
        self.assertGreater(wrong.findings[0].end, wrong.findings[0].column)

    def test_every_method_has_a_verb(self):
        schema = json.loads(run_quietly(["schema", "methods"]))["$defs"]
        for name, definition in schema.items():
            properties = definition.get("properties", {})
            verb = getattr(maille.Study, name, None)
            if "const" not in properties.get("method", {}) or name.startswith("model.") or verb is None:
                continue
            missing = set(properties) - {"method", "conf_level"} - set(inspect.signature(verb).parameters)
            self.assertEqual(missing, set(), name)
        self.assertLessEqual({"km", "cox", "glm", "smd", "meta"}, set(schema))

    def test_run(self):
        """The study of R's vignette, by its own text: the same numbers as were recorded there."""
        recorded = maille.read(EXAMPLE)
        study = os.path.join(self.folder.name, "the study.yaml")
        with open(study, "w", encoding="utf-8") as file:
            file.write(recorded.about["text"])
        events = []
        r = maille.run(study, self.net, progress=events.append)
        self.assertEqual((events[0]["event"], events[-1]["event"]), ("asked", "ended"))
        self.assertEqual(events[0]["query"], r.about["query"])
        for term, estimate in recorded["cox"].coefficients.items():
            self.assertAlmostEqual(r["cox"].coefficients[term], estimate, 10)
        self.assertEqual(r["os"].result["curves"][0]["n_risk"], recorded["os"].result["curves"][0]["n_risk"])

    def test_what_was_written_comes_back(self):
        title = "Quotes \" ' and \\ and é: # - {"
        path = os.path.join(self.folder.name, "a result.json")
        r = maille.run(plain("odd", title=title).count().describe("age", id="nobody", cohort="age > 119"), self.net, json=path)
        self.assertEqual(r.about["title"], title)
        self.assertEqual(list(maille.read(path)), ["count", "nobody"])
        self.assertNotEqual(r["nobody"].status, "ok")

    def test_trial(self):
        with maille.Sandbox(dictionary=DICTIONARY, sites=3, synthetic=300) as trial:
            r = maille.run(plain("trial").table1(["age", "size"], by="chemo", statistics="both"), trial)
        self.assertTrue(r.about["synthetic"])
        self.assertIn("Synthetic data", repr(r))
        self.assertEqual(r["table1"].n + r["table1"].n_missing, 300)
        self.assertIn("Age at surgery, mean (SD)", [row["label"] for row in r["table1"].table_one()])

    def test_report(self):
        page, figures = os.path.join(self.folder.name, "a page.html"), os.path.join(self.folder.name, "all figures")
        maille.read(EXAMPLE).report(page, figures)
        self.assertGreater(os.path.getsize(page), 10000)
        self.assertGreater(len(os.listdir(figures)), 2)
        with self.assertRaisesRegex(ValueError, "out.*figures"):
            maille.read(EXAMPLE).report()

    def test_errors(self):
        with self.assertRaisesRegex(maille.Invalid, "age") as caught:
            maille.run(plain().describe("aeg"), self.net)
        self.assertEqual(caught.exception.status, 2)
        with self.assertRaises(maille.Invalid):
            maille.run(plain().count(), "no network.yaml", key="no.key")
        with self.assertRaisesRegex(ValueError, "key"):
            maille.run(plain().count(), "network.yaml")
        with self.assertRaises(maille.Invalid):
            maille.Sandbox(DATA, "no dictionary.yaml")

    def test_a_callback_that_fails_leaves_the_query_to_be_resumed(self):
        query = []

        def stop(event):
            query.append(event.get("query"))
            raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            maille.run(plain("left").count(), self.net, progress=stop)
        r = maille.resume(query[0][:12], self.net)
        self.assertEqual(r["count"].n, 2982)
