"""Studies are checked and asked, networks are tried out."""
from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Union

from .program import error_of, program, run_quietly
from .result import Result, read
from .study import Study

Path = Union[str, "os.PathLike[str]"]
Progress = Union[bool, Callable[[Dict[str, Any]], None]]


@contextlib.contextmanager
def _study_file(study: Union[Study, Path]) -> Iterator[str]:
    if not isinstance(study, Study):
        yield os.fspath(study)
        return
    with tempfile.TemporaryDirectory(prefix="maille-study-") as folder:
        path = os.path.join(folder, f"{study.head['study']}.yaml")
        study.write(path)
        yield path


def _option(name: str, value: Optional[Path]) -> List[str]:
    return [] if value is None else [f"--{name}", os.path.expanduser(os.fspath(value))]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where (lines and columns count from 1), what was expected and found, what to do."""

    file: Optional[str]
    line: int
    column: int
    end: int
    expected: str
    found: Optional[str]
    hint: Optional[str]
    sentence: str


@dataclass(frozen=True)
class Check:
    """What ``check`` found; ``analyses``: cohort and first round of each, in words."""

    valid: bool
    findings: List[Finding]
    analyses: List[Dict[str, Any]]

    def __bool__(self) -> bool:
        return self.valid


def check(study: Union[Study, Path], dictionary: Optional[Path] = None) -> Check:
    """Is a study right, and what would every site be asked to add up? Nothing is sent.

    ``dictionary``: path of the network's data dictionary; looked for beside the study file where absent.
    """
    with _study_file(study) as path:
        done = subprocess.run([program(), "check", "--json", *_option("dictionary", dictionary), path], capture_output=True, text=True,
                              encoding="utf-8")
    if not done.stdout:
        raise error_of(done.stderr, done.returncode)
    answer = json.loads(done.stdout)
    fields = Finding.__dataclass_fields__
    findings = [Finding(**{key: finding.get(key) for key in fields}) for finding in answer["findings"]]
    return Check(answer["valid"], findings, answer.get("analyses", []))


class Sandbox:
    """A whole network on this machine out of one table: real keys, real sockets. A context manager.

    ``data``: path of a CSV file, or a pandas data frame; ``dictionary``: path of a data dictionary; ``split_by``: one site for each value of
    this column, instead of ``sites`` at random; ``directory``: a new folder for it. ``Sandbox(dictionary=..., synthetic=3000)``: so many
    patients made up from the dictionary alone, to try a study before a hospital is asked; every output says that they are no patients.
    """

    def __init__(self, data: Any = None, dictionary: Optional[Path] = None, *, sites: int = 6, split_by: Optional[str] = None, seed: int = 1,
                 policy: Optional[Path] = None, synthetic: Optional[int] = None, directory: Optional[Path] = None) -> None:
        if dictionary is None:
            raise TypeError("expected a dictionary, found none")
        if (data is None) == (synthetic is None):
            raise TypeError(f"expected either data or how many synthetic patients, found {'neither' if data is None else 'both'}")
        made = None
        if directory is None:
            made = tempfile.mkdtemp(prefix="maille-sandbox-")
            directory = os.path.join(made, "network")
        self.directory = os.path.abspath(os.path.expanduser(os.fspath(directory)))
        with tempfile.TemporaryDirectory(prefix="maille-data-") as folder:
            if data is not None and not isinstance(data, (str, os.PathLike)):
                path = os.path.join(folder, "data.csv")
                data.to_csv(path, index=False, na_rep="", encoding="utf-8", quoting=csv.QUOTE_MINIMAL)
                data = path
            split = ["--sites", str(sites)] if split_by is None else ["--split-by", split_by]
            self._close = weakref.finalize(self, _sandbox_down, self.directory, made)
            try:
                self.words = run_quietly(["sandbox", "up", "--dir", self.directory, *_option("data", data), *_option("dictionary", dictionary),
                                          *([] if synthetic is None else ["--synthetic", str(synthetic)]), *split, "--seed", str(seed), *_option("policy", policy)])
            except BaseException:
                self._close()
                raise

    def close(self) -> None:
        """Stops everything; also at the end of ``with`` and of the program."""
        self._close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<maille.Sandbox in {self.directory}{'' if self._close.alive else ', closed'}>"


def _sandbox_down(directory: str, made: Optional[str]) -> None:
    if os.path.isdir(directory):
        subprocess.run([program(), "sandbox", "down", "--dir", directory], capture_output=True)
    if made is not None:
        shutil.rmtree(made, ignore_errors=True)


def _access(network: Union[Sandbox, Path, None], key: Optional[Path], credential: Optional[Path]) -> List[str]:
    if isinstance(network, Sandbox):
        return [word for name, file in (("network", "network.yaml"), ("key", "researcher.key"), ("credential", "credential"))
                for word in _option(name, os.path.join(network.directory, file))]
    if key is None:
        raise ValueError("expected your key file as `key`, found none")
    if network is None:
        network = os.environ.get("MAILLE_NETWORK", "network.yaml")
    return _option("network", network) + _option("key", key) + _option("credential", credential)


def run(study: Union[Study, Path], network: Union[Sandbox, Path, None] = None, *, key: Optional[Path] = None,
        credential: Optional[Path] = None, dictionary: Optional[Path] = None, timeout: Optional[float] = None,
        json: Optional[Path] = None, csv: Optional[Path] = None, report: Optional[Path] = None, progress: Progress = False) -> Result:
    """Asks a study, takes part in its rounds, reads the result.

    ``network``: path of the network's signed directory (``$MAILLE_NETWORK``, else ``network.yaml``), or a ``Sandbox``. ``key`` and ``credential``:
    your key file, and the file that opens it without ``$MAILLE_PASSPHRASE``. ``timeout``: give up when nothing moves for so many seconds.
    ``json``, ``csv``, ``report``: also write the result file, a folder of tables, a page. ``progress``: ``True`` to say on standard error where
    the query stands, or a function that takes each event. An interrupt leaves the query as it is: ``resume`` goes on.
    """
    with _study_file(study) as path:
        return _take_part(["run", *_access(network, key, credential), *_option("dictionary", dictionary)], path, timeout, json, csv, report,
                          progress)


def resume(id: str, network: Union[Sandbox, Path, None] = None, *, key: Optional[Path] = None, credential: Optional[Path] = None,
           timeout: Optional[float] = None, json: Optional[Path] = None, csv: Optional[Path] = None, report: Optional[Path] = None,
           progress: Progress = False) -> Result:
    """Goes on with a query that was asked on this machine; ``id`` may be how it begins."""
    return _take_part(["resume", *_access(network, key, credential)], id, timeout, json, csv, report, progress)


def _take_part(arguments: List[str], last: str, timeout: Optional[float], json_path: Optional[Path], csv_path: Optional[Path],
               report: Optional[Path], progress: Progress) -> Result:
    with tempfile.TemporaryDirectory(prefix="maille-result-") as folder:
        result = os.path.join(folder, "result.json") if json_path is None else os.path.expanduser(os.fspath(json_path))
        command = [program(), *arguments, "--progress", "json", "--quiet", "--json", result, *_option("csv", csv_path), *_option("report", report)]
        if timeout is not None:
            command += ["--timeout", f"{round(timeout * 1000)}ms"]
        problem: Optional[Dict[str, Any]] = None
        other: List[str] = []
        with subprocess.Popen([*command, last], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                              errors="replace") as process:
            assert process.stderr is not None
            try:
                for line in process.stderr:
                    try:
                        event = json.loads(line)
                    except ValueError:
                        other.append(line)
                        continue
                    if event.get("event") == "error":
                        problem = event
                    elif progress is True:
                        _say(event)
                    elif progress:
                        progress(event)
                status = process.wait()
            except BaseException: # also KeyboardInterrupt: the program keeps its journal and leaves
                process.send_signal(signal.SIGINT)
                raise
            finally:
                if progress is True:
                    print("\r" + " " * 78 + "\r", end="", file=sys.stderr)
        if problem is not None:
            raise error_of(problem["sentence"], problem["exit"], problem["code"], problem["query"])
        if status not in (0, 1) or not os.path.exists(result):
            raise error_of("".join(other), status)
        return read(result)


def _say(event: Dict[str, Any]) -> None:
    kind = event.get("event")
    if kind == "waiting":
        text = f"{event['ready']} of {event['sites']} sites ready"
    elif kind == "heads":
        text = f"{event['sites']} sites count heads"
    elif kind == "round":
        text = f"{event['sites']} sites, round {event['round']}, {event['bytes'] / 1e6:.1f} MB of masked sums"
    elif kind == "note":
        print(f"\r{event['text']:<78}", file=sys.stderr)
        return
    else:
        return
    waiting = ", ".join(party["party"] for party in event.get("for", []))
    text += f", waiting for {waiting}" if waiting else ""
    print(f"\r{text[:78]:<78}", end="", file=sys.stderr, flush=True)
