"""By which rules each attack is stopped, and what is left: spellings that learn something today, with the sentence that says why.

A spelling that is not left fails the test when it learns anything. One that is left is printed; when it learns nothing any more, the test
says "stopped now", and it is to be taken out of the list.
"""

# What stops an attack, or a spelling of it. "hidden": its numbers are null; "joined": steps of a
# curve are joined; "vetoed": a site objects, and nobody is told why; "stored": the
# answer of before, from the epoch's store.
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
    "A13": {"few", "hidden", "differencing", "min_cell"},
    "A13 same-cohort": {"stored"},
    "B1": {"max_patient_share", "hidden"},
    "B1 table1": {"max_patient_share", "hidden", "moments"},  # a table of numbers tells three of each group
    "B1 iptw": {"max_patient_share", "hidden", "moments", "vetoed"},  # more moments than few patients allow; at her site min_ess_share
    "B2": {"few", "hidden", "unanimous"},
    "B3": {"joined", "hidden"},  # sums of weights are null, S has a public grain
    "ruler": {"protocol"},
}

# Sentences of what is left.
MISSING = "how many lack a value follows from the rows of a group and those with one"
COMBINED = "combinations are of whole cohorts, not of arms and cells"
NOBODY = "a level of the dictionary, of two cohorts that are far apart: by a patient it is near, by nobody it is not"
STEPS = "steps of a curve without weights are told as they are"

# Per policy: attack, or attack and spelling: the sentence.
BOTH = {"A1 missing": MISSING, "A1 missing-by": MISSING, "A5 level": NOBODY,
        "A9 cycle": COMBINED, "A9 cycle-one-study": COMBINED,
        "B3 event": STEPS, "B3 arms": STEPS, "B3 cuminc": STEPS}
LEFT = {"strict": BOTH, "standard": BOTH, "open": {}}


def left(policy, attack, name):
    return LEFT[policy].get(f"{attack} {name}") or LEFT[policy].get(attack)


def rules_of(attack, name):
    return RULES.get(f"{attack} {name}") or RULES[attack]
