"""The program: found, asked for its version, run. Nothing is downloaded."""
from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from typing import Any, Dict, Optional, Sequence, Tuple

#: What this package understands of ``maille --version --json``.
INTERFACE = 1

_known: Dict[Tuple[str, float], str] = {}


class MailleError(Exception):
    """What the program said: ``status`` is its exit status, ``code`` and ``query`` are there where it said so."""

    def __init__(self, sentence: str, status: int = 1, code: Optional[str] = None, query: Optional[str] = None):
        super().__init__(sentence)
        self.status, self.code, self.query = status, code, query


class NotFound(MailleError):
    """There is no program, or one that this package does not understand."""


class Invalid(MailleError):
    """Wrong usage, or a file that is not what it should be (status 2)."""


class Unreachable(MailleError):
    """The network or a party does not answer in time (status 3)."""


class Interrupted(MailleError):
    """Interrupted; the query is kept (status 130)."""


def error_of(words: str, status: int, code: Optional[str] = None, query: Optional[str] = None) -> MailleError:
    kind = {2: Invalid, 3: Unreachable, 130: Interrupted}.get(status, MailleError)
    head, separator, tail = words.strip().partition(": ")
    if separator and head.startswith("maille") and head.replace("-", "").replace(" ", "").isalpha():
        words = tail
    return kind(words.strip() or f"maille ended with status {status}", status, code, query)


def _locate() -> Tuple[Optional[str], str]:
    given = os.environ.get("MAILLE_PROGRAM")
    if given:
        return os.path.expanduser(given), "the environment variable MAILLE_PROGRAM"
    return shutil.which("maille"), "the PATH"


def program() -> str:
    """Path of the program: the environment variable ``MAILLE_PROGRAM``, else what the ``PATH`` has."""
    found, by = _locate()
    if found is None:
        raise NotFound("expected the program maille, found none; install it, or name it with MAILLE_PROGRAM")
    if not os.path.isfile(found) or not os.access(found, os.X_OK):
        raise NotFound(f"expected the program maille at {found} (by {by}), found nothing that can be run")
    found = os.path.abspath(found)
    key = (found, os.stat(found).st_mtime)
    if key not in _known:
        _known[key] = _ask_version(found)
    return found


def _ask_version(path: str) -> str:
    answer: Any = None
    try:
        answer = json.loads(subprocess.run([path, "--version", "--json"], capture_output=True, text=True, timeout=10).stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        pass
    if not isinstance(answer, dict) or answer.get("program") != "maille":
        raise NotFound(f"expected {path} to be maille and to say its version, found something else")
    if answer.get("interface") != INTERFACE:
        raise NotFound(f"expected a maille whose interface is {INTERFACE}, found {answer.get('interface')} (maille "
                       f"{answer.get('version')} at {path}); install the Python package of that version")
    return str(answer["version"])


def version() -> str:
    """Version of the program."""
    path = program()
    return _known[(path, os.stat(path).st_mtime)]


def sitrep() -> str:
    """What is found where: what to write into a question for help."""
    found, by = _locate()
    lines = [f"program       {found + ' (by ' + by + ')' if found else 'not found'}"]
    try:
        lines.append(f"version       {version()}, interface {INTERFACE}")
        folder = os.path.dirname(program())
    except NotFound as problem:
        lines.append(f"version       not usable: {problem}")
        folder = ""

    def beside(name: str) -> bool:
        return bool(folder) and os.path.exists(os.path.join(folder, name)) or shutil.which(name) is not None

    both = beside("maille-worker") and beside("maille-coordinator")
    lines.append(f"sandbox       {'possible' if both else 'not possible: it needs maille-worker and maille-coordinator beside maille'}")
    lines.append(f"network       {os.environ.get('MAILLE_NETWORK', 'network.yaml here, or the argument (MAILLE_NETWORK is not set)')}")
    lines.append(f"Python        {sys.version.split()[0]}")
    for package in ("pandas", "matplotlib"):
        try:
            lines.append(f"  {package:<12}{importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"  {package:<12}-")
    return "\n".join(lines)


def run_quietly(arguments: Sequence[str]) -> str:
    """Runs to its end; standard output, or an error that says what the program said."""
    done = subprocess.run([program(), *arguments], capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode != 0:
        raise error_of(done.stderr, done.returncode)
    return done.stdout
