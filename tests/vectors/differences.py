#!/usr/bin/env python3
"""differences.py FEDERATE [SITES]: the largest relative difference from R per method, over all vectors: the table of
docs/methods/README.md. Run from the repository's root. Python 3 standard library only."""
import glob, json, os, re, subprocess, sys, tempfile

federate, sites = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "6"
table = {}
for gold in sorted(glob.glob("tests/vectors/*.gold.json")):
    vector = os.path.basename(gold)[:-len(".gold.json")]
    data, name = vector.split(".", 1)
    study = next(p for p in ("tests/vectors/%s.study.yaml" % vector, "examples/%s/%s.yaml" % (data, name),
                             "examples/%s/study.yaml" % data) if os.path.exists(p))
    text = open(study, encoding="utf-8").read()
    by, policy = (re.search(r"^# %s: (\S+)$" % key, text, re.M) for key in ("sites", "policy"))
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "result.json")
        subprocess.run([federate, data, study, by.group(1) if by else sites, "1", out] + ([policy.group(1)] if policy else []),
                       check=True, stderr=subprocess.DEVNULL)
        analyses = json.load(open(gold, encoding="utf-8"))["analyses"]
        for method in sorted({a["method"] for a in analyses}):
            ids = [a["id"] for a in analyses if a["method"] == method]
            failed = sum(a["method"] == method and a["status"] == "failed" for a in analyses)
            command = [sys.executable, "tests/compare.py", out, gold, "--rtol", "1e-9", "--atol", "1e-300", "--field-rtol", "p_value=1e-7",
                       "--strict-labels"] + [x for i in ids for x in ("--only", i)]
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
            agree, differ, missing, rel = re.search(
                r"(\d+) analyses agree, (\d+) differ, (\d+) missing \(max relative difference (\S+)\)", said).groups()
            numbers = sum(int(n) for n in re.findall(r"\((\d+) numbers\)", said))
            row = table.setdefault(method, [0, 0, 0, 0, 0.0])
            row[0] += int(agree)
            row[1] += int(differ) + int(missing)
            row[2] += failed
            row[3] += numbers
            row[4] = max(row[4], float(rel))
print("| method | analyses that agree | of these end in a sentence | numbers compared | largest relative difference |")
print("| --- | --- | --- | --- | --- |")
for method, (agree, differ, failed, numbers, rel) in sorted(table.items()):
    print("| %s | %d%s | %d | %d | %.1e |" % (method, agree, ", %d DIFFER" % differ if differ else "", failed, numbers, rel))
sys.exit(any(row[1] for row in table.values()))
