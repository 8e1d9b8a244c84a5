"""By which rules each attack is stopped, and what is left: spellings that learn something today, with the sentence that says why.

A spelling that is not left fails the test when it learns anything. One that is left is printed; when it learns nothing any more, the test
says "stopped now", and it is to be taken out of the list.
"""

# What stops an attack. "hidden": its numbers are null; "stored": the answer of before, from the epoch's store.
RULES = {
    "A1": {"few", "hidden", "min_cell", "min_patients"},
    "A2": {"few", "hidden", "differencing", "min_cell", "min_tail", "moments"},
    "A3": {"few", "hidden", "differencing", "min_cell"},
    "A4": {"few", "hidden"},
    "A5": {"few", "differencing"},
    "A6": {"few", "min_cell", "own_totals", "differencing"},
    "A7": {"budget", "protocol"},
    "A8": {"few", "differencing"},
    "A9": {"few", "hidden", "combinations", "min_cell"},
    "A10": {"few", "hidden", "own_totals", "min_cell"},
    "A11": {"few", "hidden"},
    "A12": {"moments", "max_scalar_share"},
    "A13": {"few", "hidden", "stored", "differencing", "min_cell"},
    "B1": {"max_patient_share"},
    "B2": {"hidden", "unanimous"},
    "ruler": {"protocol"},
}

# Sentences of what is left.
ZERO = "zero is not few everywhere yet"
NOBODY = "a group that differs from one that was shown by nobody is not near it, one that differs by a patient is"
COMBINED = "combinations are of whole cohorts, not of arms and cells"
CROSS = "cells of a cross are no groups of the ledger: near ones in two tables, also of one study, are shown"
BLOCKED = "no cohort is published, so that one near to everybody blocks it"
CARRIED = "no rule looks at how much of a sum one patient carries"
CLOSED = "nothing closes a registration that measures"

# Per policy: attack, or attack and spelling: the sentence.
BOTH = {"A1": ZERO, "A2 cross": CROSS, "A3 cross": CROSS, "A5": NOBODY, "A8": BLOCKED, "A9 cycle": COMBINED, "A9 cycle-one-study": COMBINED,
        "A11": COMBINED, "B1": CARRIED, "B2": ZERO, "ruler": CLOSED}
LEFT = {"strict": BOTH, "standard": BOTH, "open": {}}
# Spellings of those attacks that are stopped already.
STOPPED = {"A1 " + name for name in ("count", "count-numbers", "count-attribute", "count-and", "count-time", "crosstab", "describe",
                                     "describe-indicator", "histogram", "quantile", "is_missing", "km", "variables", "table1", "cut", "rate", "cuminc")}


def left(policy, attack, name):
    if f"{attack} {name}" in STOPPED:
        return None
    return LEFT[policy].get(f"{attack} {name}") or LEFT[policy].get(attack)


def rules_of(attack):
    return RULES[attack]
