#!/usr/bin/env python3
"""fault_words.py: every sentence in which a log is said not to be sound has its French in cli/audit_fault.c, and every row of that
table is a sentence of the program. Usage: fault_words.py, at the root."""
import re
import sys

SOURCES = ("audit/state.c", "audit/verify.c", "audit/store.c", "cli/audit_receipt.c", "cli/audit_health.c", "cli/audit_trust.c")
TEXT = r'((?:"(?:[^"\\]|\\.)*"|PRIu64|\s)+)'
CALL = re.compile(r"(?:wrong\(\w+,[^\"]*?AUDIT_\w+,\s*error,|maille_fail\(\s*error,\s*MAILLE_CORRUPT,)\s*" + TEXT)


def joined(literals):
    text = "".join(m if m == "PRIu64" else m[1:-1] for m in re.findall(r'"(?:[^"\\]|\\.)*"|PRIu64', literals))
    return re.sub(r"%(?:PRIu64|l*[a-z]+)", "*", text)


def main():
    said, anything = {}, set()
    for path in SOURCES:
        source = open(path, encoding="utf-8").read()
        anything.update(joined(match[1]) for match in re.finditer(TEXT, source))
        for match in CALL.finditer(source):
            said[joined(match[1])] = path
    said.pop("*", None)  # what passes a sentence on
    table = open("cli/audit_fault.c", encoding="utf-8").read()
    table = table[table.index("sentences[][2]"):table.index("/* What may stand behind")]
    rows = [(joined(english), joined(french)) for english, french in re.findall(r"\{" + TEXT + r"," + TEXT + r"\}", table)]
    faults = [f"{path}: no French for: {text}" for text, path in sorted(said.items()) if text not in dict(rows)]
    faults += [f"cli/audit_fault.c: nobody says: {english}" for english, _ in rows if not any(text.startswith(english) for text in anything)]
    faults += [f"cli/audit_fault.c: other names in French: {english}" for english, french in rows if english.count("*") != french.count("*")]
    for words in faults:
        print("  " + words)
    print(f"{len(said)} sentences, {len(faults)} faults")
    sys.exit(1 if faults or len(said) < 40 else 0)


main()
