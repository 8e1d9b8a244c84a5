"""Ask cancer centres a question together, without moving a patient.

    from maille import Sandbox, Study, run

    study = (Study("first", "rotterdam@1", purpose="research-public-interest", legal_basis="MR-004", expires="2027-12-31")
             .km("Surv(dtime, death) ~ chemo", id="os")
             .cox("Surv(dtime, death) ~ age + size + chemo"))
    with Sandbox("rotterdam.csv", "dictionary.yaml") as net:
        result = run(study, net)
    print(result["cox"].summary)

The package starts the program ``maille`` and reads what it writes (docs/CLI.md and docs/RESULT.md of maille). It needs the standard library
alone; tables are pandas objects where pandas is installed, figures are drawn with matplotlib.
"""
from .program import Interrupted, Invalid, MailleError, NotFound, Unreachable, program, sitrep, version
from .result import Analysis, CumulativeIncidence, KaplanMeier, Model, Result, TableOne, read
from .run import Check, Finding, Sandbox, check, resume, run
from .study import Study, iptw

__version__ = "0.1.0"
__all__ = [
    "Analysis", "Check", "CumulativeIncidence", "Finding", "Interrupted", "Invalid", "KaplanMeier", "MailleError", "Model", "NotFound",
    "Result", "Sandbox", "Study", "TableOne", "Unreachable", "check", "iptw", "program", "read", "resume", "run", "sitrep", "version",
]
