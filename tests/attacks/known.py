"""By which rules each attack is stopped, and what is left: spellings that learn something today, with the sentence that says why.

A spelling that is not left fails the test when it learns anything. One that is left is printed; when it learns nothing any more, the test
says "stopped now", and it is to be taken out of the list.
"""

# What stops an attack. "hidden": its numbers are null; "stored": the answer of before, from the epoch's store.
RULES = {
    "A1": {"few", "hidden", "min_cell", "min_patients"},
    "A2": {"few", "hidden", "differencing"},
    "A3": {"few", "hidden", "differencing"},
    "A4": {"few", "hidden"},
    "A5": {"few", "differencing"},
    "A6": {"few", "own_totals", "differencing"},
    "A7": {"budget", "protocol"},
    "A8": {"few", "differencing"},
    "A9": {"few", "hidden", "combinations"},
    "A10": {"few", "hidden", "own_totals"},
    "A11": {"few", "hidden"},
    "A12": {"moments", "max_scalar_share"},
    "A13": {"few", "hidden", "stored", "differencing"},
    "B1": {"max_patient_share"},
    "B2": {"hidden", "unanimous"},
    "ruler": {"protocol"},
}

# Sentences of what is left.
ZERO = "zero is not few everywhere yet"
ARMS = "near groups are compared as whole analyses, not by arm"
COMBINED = "combinations of more than two groups are not looked at"
CROSS = "cells of a cross are no groups of the ledger: near ones in two tables, also of one study, are shown"
BLOCKED = "no cohort is published, so that one near to everybody blocks it"
CARRIED = "no rule looks at how much of a sum one patient carries"
CLOSED = "nothing closes a registration that measures"

# Per policy: attack, or attack and spelling: the sentence.
BOTH = {"A1": ZERO, "A2": ARMS, "A3": ARMS, "A5": ARMS, "A8": BLOCKED, "A9": COMBINED, "A10": ARMS, "A11": COMBINED, "A13 other-cohort": ARMS,
        "B1": CARRIED, "B2": ZERO, "ruler": CLOSED,
        "A2 cross": CROSS, "A3 cross": CROSS}
LEFT = {"strict": BOTH, "standard": BOTH | {"A6 other-cohort": ARMS}, "open": {}}
# Spellings of those attacks that are stopped already.
STOPPED = {"A2 cohort", "A2 cohort-km", "A9 cohorts", "A9 one-study"}


def left(policy, attack, name):
    if f"{attack} {name}" in STOPPED:
        return None
    return LEFT[policy].get(f"{attack} {name}") or LEFT[policy].get(attack)


def rules_of(attack):
    return RULES[attack]
