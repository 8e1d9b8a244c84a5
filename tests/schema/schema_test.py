"""The schemas that `maille schema` writes, against the studies and dictionaries of the repository and against the program.

    schema_test.py MAILLE FOLDER

Every study and dictionary of the repository is valid; what a schema refuses, `maille check --json` refuses too, at the right place;
every choice that it offers is one that the program takes.
"""
import copy
import glob
import json
import os
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as error:
    sys.exit(f"{error}; expected the Debian packages python3-jsonschema and python3-yaml")

MAILLE, FOLDER = sys.argv[1], sys.argv[2]
os.makedirs(FOLDER, exist_ok=True)
checks = 0


class Loader(yaml.SafeLoader):
    """YAML 1.2's view of scalars, as editors have it: a date is text, only true and false are booleans."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(?:true|false)$"), list("tf"))


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def expect(truth, what):
    global checks
    checks += 1
    if not truth:
        sys.exit(f"schema_test.py: {what}")


def schema(what):
    document = json.loads(subprocess.run([MAILLE, "schema", what], check=True, capture_output=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def problem(validator, value):
    return next((f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(value)), None)


def check(study):
    """The findings of the program; JSON is YAML."""
    path = os.path.join(FOLDER, "study.yaml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(study, file, indent=1)
    done = subprocess.run([MAILLE, "check", "--json", "--dictionary", "examples/rotterdam/dictionary.yaml", path],
                          capture_output=True, text=True)
    answer = json.loads(done.stdout)
    expect(done.returncode == (0 if answer["valid"] else 2), f"exit status {done.returncode} of {answer}")
    expect(answer["valid"] == (answer["findings"] == []), f"valid and findings: {answer}")
    for finding in answer["findings"]:
        expect(set(finding) == {"file", "line", "column", "end", "expected", "found", "hint", "sentence"}, finding)
        expect(finding["file"] == path and finding["line"] > 0, f"a place in {finding}")
    return answer["findings"]


study, dictionary, methods = schema("study"), schema("dictionary"), schema("methods")
for path in sorted(glob.glob("tests/vectors/*.study.yaml") + glob.glob("examples/*/*.yaml")):
    value = load(path)
    if "analyses" in value:
        expect(problem(study, value) is None, f"{path}: {problem(study, value)}")
    elif "version" in value:
        expect(problem(dictionary, value) is None, f"{path}: {problem(dictionary, value)}")
for path in glob.glob("tests/vectors/*.dictionary.yaml"):
    expect(problem(dictionary, load(path)) is None, f"{path}: {problem(dictionary, load(path))}")

# What is refused, by both: a change to a study that is right.
good = {
    "study": "s", "title": "t", "dictionary": "rotterdam@1", "purpose": "p", "legal_basis": "MR-004", "expires": "2099-12-31",
    "analyses": [{"id": "os", "method": "km", "formula": "Surv(dtime, death) ~ chemo"}],
}
expect(problem(study, good) is None, problem(study, good))
expect(check(good) == [], "the good study is good")


def changed(**changes):
    value = copy.deepcopy(good)
    for key, new in changes.items():
        target = value["analyses"][0] if key.startswith("a_") else value
        key = key.removeprefix("a_")
        if new is None:
            del target[key]
        else:
            target[key] = new
    return value


bad = {
    "an unknown key": changed(grdi="month"),
    "no purpose": changed(purpose=None),
    "an unknown grid": changed(grid="decade"),
    "a date that is none": changed(expires="soon"),
    "an unknown method": changed(a_method="kmm"),
    "no formula": changed(a_formula=None),
    "a key of another method": changed(a_ties="efron"),
    "`by` where there is none": changed(a_by="chemo"),
    "an unknown choice": changed(a_conf_type="logit"),
    "a level of confidence above 1": changed(a_conf_level=95),
    "an id with a space": changed(a_id="a b"),
    "an unknown estimand": changed(a_weights={"iptw": "chemo ~ age", "estimand": "atu"}),
    "no analyses": changed(analyses=[]),
    "a list too long": changed(analyses=[{"id": "x", "method": "crosstab", "variables": ["chemo", "meno", "size", "grade", "death"]}]),
    "a derived name that is none": changed(derive={"1a": "age"}),
    "a model without a method": changed(analyses=[{"id": "x", "method": "meta", "term": "age", "model": {"formula": "death ~ age"}}]),
}
for what, value in bad.items():
    expect(problem(study, value) is not None, f"{what}: the schema takes it")
    expect(check(value) != [], f"{what}: the program takes it")

# What the schema offers, the program takes.
for key in ("grid", "missing"):
    for choice in study.schema["properties"][key]["enum"]:
        found = check(changed(**{key: choice}))
        expect(found == [], f"{key}: {choice}: {found}")
expect(set(study.schema["$defs"]["analysis"]["properties"]["method"]["enum"])
       == {name for name, d in methods.schema["$defs"].items() if "method" in d.get("properties", {}) and not name.startswith("model.")},
       "the methods of both documents")

# The place: the word itself, and what to do.
finding = check(changed(a_method="kmm"))[0]
with open(os.path.join(FOLDER, "study.yaml"), encoding="utf-8") as file:
    line = file.read().split("\n")[finding["line"] - 1]
expect(line[finding["column"] - 1:finding["end"] - 1] == '"kmm"', f"the place of kmm in {line}: {finding}")
expect("km" in finding["hint"], finding)

# Dictionaries.
variables = {
    "a real without a resolution": {"name": "x", "type": "real", "min": 0, "max": 1},
    "a category with a range": {"name": "x", "type": "category", "levels": ["a"], "min": 0},
    "an integer without a maximum": {"name": "x", "type": "integer", "min": 0},
    "an unknown type": {"name": "x", "type": "number"},
    "an unknown role": {"name": "x", "type": "boolean", "role": "key"},
}
for what, variable in variables.items():
    value = {"dictionary": "d", "version": 1, "key": "id", "variables": [variable]}
    expect(problem(dictionary, value) is not None, f"{what}: the schema takes it")
expect(problem(dictionary, {"dictionary": "d", "version": 1, "key": "id",
                            "variables": [{"name": "t", "type": "date", "min": "2000-01-01", "max": "2030-12-31"}]}) is None, "a date")
print(f"{checks} checks passed")
