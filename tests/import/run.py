#!/usr/bin/env python3
"""Every file of gen.py gives what expected.tsv says: exit status, lines of the findings in order, the first sentence.
run.py MAILLE_WORKER FOLDER"""
import json
import os
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
worker, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
os.makedirs(folder, exist_ok=True)
subprocess.run([sys.executable, "-B", os.path.join(here, "gen.py"), folder], check=True)
bad = 0
tried = set()
with open(os.path.join(here, "expected.tsv"), encoding="utf-8") as file:
    for row in file:
        if row.startswith("#"):
            continue
        name, dictionary, status, lines, sentence = row.rstrip("\n").split("\t")
        tried.add(name)
        report = os.path.join(folder, "report.json")
        if os.path.exists(report):
            os.remove(report)
        done = subprocess.run(
            [worker, "check", "--dictionary", dictionary + ".yaml", "--data", name, "--json", report],
            cwd=folder, capture_output=True, text=True)
        findings = []
        if os.path.exists(report):
            with open(report, encoding="utf-8") as written:
                findings = json.load(written)["findings"]
        found_lines = " ".join(str(finding["line"]) for finding in findings)
        found = findings[0]["sentence"] if findings else done.stderr.strip()
        wrong = []
        if done.returncode != int(status):
            wrong.append("exit status %d" % done.returncode)
        if found_lines != lines:
            wrong.append("lines " + found_lines)
        if found != sentence and not (not findings and sentence and sentence in found):
            wrong.append("first sentence: " + found)
        if status == "2" and "no problem" in done.stdout:
            wrong.append("\"no problem\" beside exit status 2")
        if wrong:
            bad += 1
            print("%s (%s): expected status %s, lines %s, \"%s\"; found %s" %
                  (name, dictionary, status, lines, sentence, "; ".join(wrong)))
# The mapping that is made of an export, without a word of a person, and what is left to do then.
for name, status, sentence in (("07_accents_header.csv", 0, ""), ("12b_title.csv", 0, ""),
                               ("13_bool_level.csv", 2, 'expected one of the levels "F", "M", found "1"')):
    mapping, report = os.path.join(folder, "mapping.yaml"), os.path.join(folder, "report.json")
    subprocess.run([worker, "map", "--dictionary", "esme.yaml", "--data", name, "--out", mapping], cwd=folder, check=True)
    done = subprocess.run([worker, "check", "--dictionary", "esme.yaml", "--data", name, "--mapping", mapping, "--json",
                           report], cwd=folder, capture_output=True, text=True)
    with open(report, encoding="utf-8") as written:
        found = [finding["sentence"] for finding in json.load(written)["findings"] if finding["level"] == "error"]
    if done.returncode != status or found != [sentence] * (sentence != ""):
        bad += 1
        print("%s through its mapping: expected status %d, \"%s\", found %d, %s" %
              (name, status, sentence, done.returncode, found))
# Who objects, one file after the other at one site: a name that nobody has is told, a file of nobody takes nothing back.
site = [worker, "import", "--dir", os.path.join(folder, "site"), "--credential", os.path.join(folder, "credential")]
shutil.rmtree(os.path.join(folder, "site"), ignore_errors=True)
subprocess.run([worker, "init", "--name", "a"] + site[2:], capture_output=True, check=True)
subprocess.run(site + ["--dictionary", "bugs.yaml", "--data", "c00_good.csv"], cwd=folder, capture_output=True, check=True)
for name, status, sentence in (("objections-unknown.csv", 0, "no patient here is called P999; the objection holds if one comes"),
                               ("objections-empty.csv", 2, "names nobody: the 1 objections before it stay"),
                               ("c38_objection_p4.csv", 0, "no patient here is called p4; the objection holds if one comes")):
    tried.add(name)
    done = subprocess.run(site + ["--objections", name], cwd=folder, capture_output=True, text=True)
    if done.returncode != status or sentence not in done.stdout + done.stderr:
        bad += 1
        print("%s: expected status %d, \"%s\", found %d, %s" % (name, status, sentence, done.returncode, done.stdout + done.stderr))
made = {name for name in os.listdir(folder) if name.endswith(".csv")}
if made != tried:
    bad += 1
    print("expected a row of expected.tsv for each file, found a difference:", sorted(made ^ tried))
print("%d files, %d wrong" % (len(tried), bad))
sys.exit(bad != 0)
