#!/usr/bin/env python3
"""engine_load.py DICTIONARY.yaml DATA.csv SCHEMA.NAME: SQL for psql that makes a table of the file's rows in the
dictionary's types, in their order, with the words for missing as NULL. On standard output."""
import csv
import sys

import yaml

TYPES = {"integer": "integer", "real": "double precision", "duration": "double precision", "category": "text", "boolean": "boolean", "date": "date"}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def main(dictionary_path, data_path, table):
    with open(dictionary_path, encoding="utf-8") as file:
        dictionary = yaml.load(file, Loader=yaml.BaseLoader)
    with open(data_path, encoding="utf-8", newline="") as file:
        text = file.read()
    head = text.splitlines()[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    rows = list(csv.reader(text.splitlines(), delimiter=separator))
    variables = {v["name"]: v for v in dictionary["variables"]}
    missing = {""} | set(dictionary.get("missing", []))
    columns = [(i, name) for i, name in enumerate(rows[0]) if name in variables or name == dictionary["key"]]
    types = ["text" if name not in variables else TYPES[variables[name]["type"]] for _, name in columns]
    print(f"CREATE TABLE {table} ({', '.join(f'{quoted(name)} {type}' for (_, name), type in zip(columns, types))});")
    print(f"COPY {table} FROM STDIN WITH (FORMAT csv, NULL 'NULL-OF-MAILLE');")
    out = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    for row in rows[1:]:
        line = []
        for i, name in columns:
            word = row[i].strip() if i < len(row) else ""
            words = missing | set(variables.get(name, {}).get("missing", []))
            line.append("NULL-OF-MAILLE" if word in words else word)
        out.writerow(line)
    print("\\.")


main(*sys.argv[1:])
