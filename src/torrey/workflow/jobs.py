"""What every script of the workflow does around its one library call.

Scripts import this module first: what the library was when the job began is noted here.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from torrey.base import seals
from torrey.base.errors import TorreyError
from torrey.base.provenance import Provenance, library_digest, library_state, script_digest
from torrey.workflow.progress import Teller
from torrey.workflow.stage import Stage

LIBRARY_VARIABLE: Final = "TORREY_LIBRARY"
"""Environment variable with the digest of the library's files when the run began."""

_AT_START: Final = library_state()
_OWN: Final = ("code", "key", "upstream")
"""Entries of a job's parameters that are digests, not values."""


class ChangedError(TorreyError):
    """The library is not what it was when the run began."""


class ForeignError(TorreyError):
    """A file that was made in another way than this run's configuration and code would."""


S = TypeVar("S", bound=Stage)


@dataclass(frozen=True)
class Work(Generic[S]):
    """One file to make.

    Attributes
    ----------
    stage : Stage
        What it depends on beside the inputs.
    output : str
        Path of the NetCDF file.
    provenance : Provenance
        For that file. It holds no time: files made twice are the same bytes; the wall time is in
        the log.
    teller : Teller
        Is told how far the job is; shared by all files of a batch.
    remarks : list of str
        What the log has to say of the file, beside how long it took; the job adds to it.
    """

    stage: S
    output: str
    provenance: Provenance
    teller: Teller
    remarks: list[str] = field(default_factory=list)


@contextmanager
def job(snakemake: Any, kind: type[S]) -> Iterator[Work[S]]:
    """Check what a job is given, time it, log how it went, and say where it stopped.

    Before the job begins, each input must hold what was written to it and be made as this run
    would make it; before and after, the library must be the one from which the run took its
    digests.

    Parameters
    ----------
    snakemake : object
        With ``rule``, ``wildcards``, ``input``, ``output``, ``scriptdir``, ``log`` and
        ``params.recipe``: the flat dictionary of `Recipes.job_parameters`.
    kind : type of Stage
        Of the rule.
    """
    where = ", ".join(f"{name} {value}" for name, value in dict(snakemake.wildcards).items())
    recipe = dict(snakemake.params.recipe)
    outputs = list(snakemake.output)
    file = next((path for path in outputs if path.endswith(".nc")), "")
    with _watched(snakemake, kind, where or file, {file: recipe}) as (work,):
        yield work


@contextmanager
def batch(snakemake: Any, kind: type[S]) -> Iterator[list[Work[S]]]:
    """Do the same for a job that makes several files from the same inputs.

    Parameters
    ----------
    snakemake : object
        As for `job`, with ``params.batch``: the dictionaries of all outputs by their path, as
        JSON.
    kind : type of Stage
    """
    recipes = json.loads(snakemake.params.batch)
    first, *others = recipes
    where = f"{first} and {len(others)} more" if others else first
    with _watched(snakemake, kind, where, recipes) as works:
        yield works


@contextmanager
def _watched(
    snakemake: Any, kind: type[S], where: str, recipes: Mapping[str, Mapping[str, Any]]
) -> Iterator[list[Work[S]]]:
    name = f"{kind.rule} ({where})"
    log = Path(snakemake.log[0])
    start = time.perf_counter()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        _empty(log)
        works = _begin(snakemake, kind, recipes, Teller(log, name))
        yield works
        _require_untouched()
        remarks = [f"{name}: {remark}\n" for work in works for remark in work.remarks]
    except TorreyError as error:
        _note(log, f"{name}: {error}\n")
        sys.exit(f"{name}: {error}")
    except Exception:
        _note(log, f"{name}:\n{traceback.format_exc()}")
        raise
    # They concern whoever watches the run, too.
    print(*remarks, sep="", end="", file=sys.stderr, flush=True)
    _note(log, "".join(remarks) + f"{name}: {time.perf_counter() - start:.2f} s wall time\n")


def _begin(
    snakemake: Any, kind: type[S], recipes: Mapping[str, Mapping[str, Any]], teller: Teller
) -> list[Work[S]]:
    works = []
    for path, recipe in recipes.items():
        _require_same_code(snakemake, kind, recipe)
        inputs = _checked_inputs(list(snakemake.input), str(recipe["upstream"]).split())
        parameters = {key: value for key, value in recipe.items() if key not in _OWN}
        provenance = Provenance(
            kind.rule, parameters, str(recipe["code"]), inputs, str(recipe["key"])
        )
        works.append(Work(kind.from_params(recipe), path, provenance, teller))
    return works


def _empty(log: Path) -> None:
    """Begin the log anew; where that is impossible, `_note` says so."""
    with suppress(OSError):
        log.write_text("", encoding="utf-8")


def _note(log: Path, text: str) -> None:
    """End the log, after the progress; where that is impossible, the end is said elsewhere."""
    try:
        with log.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        print(f"{log} cannot be written: {error.strerror}\n{text}", file=sys.stderr)


def _checked_inputs(files: list[str], keys: list[str]) -> dict[str, str]:
    """Digest of each input, whose content and origin are checked."""
    found = {}
    for file, key in zip(files, keys, strict=True):
        seal = seals.check(file)
        if seal.key != key:
            raise ForeignError(
                f"{file} was made with other parameters or other code than this run has "
                f"(key {seal.key}, expected {key}). Delete it and run again"
            )
        found[file] = seal.content
    return found


def _require_same_code(snakemake: Any, kind: type[Stage], recipe: Mapping[str, Any]) -> None:
    """Compare the code that this job has loaded with the digest that it was given."""
    _require_untouched()
    if os.environ.get(LIBRARY_VARIABLE) == library_digest():
        return
    script = Path(snakemake.scriptdir) / f"{kind.rule}.py"
    modules = [str(recipe["module"])] if "module" in recipe else []
    if script_digest(script, *modules) != recipe["code"]:
        raise ChangedError(
            f"the code behind {kind.rule} was changed after this run began. Start it again"
        )


def _require_untouched() -> None:
    """Compare the files of the loaded modules with what they were when the job began."""
    now = library_state()
    changed = {path for path in {*now, *_AT_START} if now.get(path) != _AT_START.get(path)}
    if not changed:
        return
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    if touched := sorted(changed & loaded):
        names = ", ".join(Path(path).name for path in touched)
        raise ChangedError(f"{names} was changed while this job ran. Start the run again")
