"""Walk through all results and name what is damaged, stale or foreign, without any other record."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path
from typing import Final, Literal

from torrey.base import artifacts, seals
from torrey.workflow.layout import REPORT, RESULTS
from torrey.workflow.recipes import Recipe, Recipes
from torrey.workflow.targets import asked_for

Kind = Literal["damaged", "stale", "foreign"]

#: What a run writes beside its results.
_LOGS: Final = "logs"
#: Files that are named of those that have not been made.
_SHOWN: Final = 3
#: Characters that are shown of a value, and those of them before its first difference from another.
_LONG: Final = 40
_AROUND: Final = 15
_MEANING: Final[dict[Kind, str]] = {
    "damaged": "the content is not what was written",
    "stale": "made with other parameters or other code than the configuration and library have now",
    "foreign": "nothing of this configuration",
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a file.

    Attributes
    ----------
    path : str
    kind : {"damaged", "stale", "foreign"}
    reason : str
    """

    path: str
    kind: Kind
    reason: str


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    sound : int
        Files that hold what they should.
    missing : tuple of str
        Files of the configuration that are not there.
    findings : tuple of Finding
    """

    sound: int
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether no file of the configuration is damaged or stale."""
        return all(finding.kind == "foreign" for finding in self.findings)

    def text(self) -> str:
        """Say all of it, a line each."""
        lines = [f"{found.path}: {found.kind}: {found.reason}" for found in self.findings]
        counts = Counter(found.kind for found in self.findings)
        lines.append(
            f"{self.sound} files are as they were written and up to date; "
            + "; ".join(f"{counts[kind]} {kind} ({text})" for kind, text in _MEANING.items())
            + f"; {len(self.missing)} files of the configuration have not been made"
            + (f" ({_named(self.missing)})" if self.missing else "")
        )
        return "\n".join(lines)


def verify(recipes: Recipes, directory: Path = Path(".")) -> Report:
    """Compare the results below a directory with the recipes of a configuration.

    Parameters
    ----------
    recipes : Recipes
    directory : Path
        Where the run is: the parent of ``results/``.
    """
    findings: list[Finding] = []
    sound = 0
    missing: list[str] = []
    known, asked = {REPORT}, asked_for(recipes)
    for path in recipes.outputs():
        recipe = recipes[path]
        known.update(recipe.outputs)
        if not os.path.lexists(directory / path):
            if path in asked:
                missing.append(path)
            continue
        found = list(_check(directory, path, recipe, recipes.key(path)))
        findings += found
        sound += not found
    findings += [
        Finding(path, "foreign", "the configuration makes no such file")
        for path in _files(directory)
        if path not in known
    ]
    return Report(sound, tuple(missing), tuple(findings))


def _named(paths: tuple[str, ...]) -> str:
    """The first of some paths."""
    shown = ", ".join(paths[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown}, ..."


def _check(directory: Path, path: str, recipe: Recipe, key: str) -> Iterator[Finding]:
    """Yield what is wrong with a file and with those made together with it."""
    try:
        seal = seals.check(directory / path)
        attributes = artifacts.attributes(directory / path)
    except (seals.DamagedError, OSError) as error:
        reason = (
            "it is empty, cut off or changed" if isinstance(error, seals.DamagedError) else error
        )
        yield Finding(path, "damaged", f"{reason}: delete it")
        return
    if seal.key != key:
        yield Finding(path, "stale", _difference(attributes, recipe))
    digests = json.loads(attributes.get(artifacts.BESIDE, "{}"))
    for other in recipe.outputs[1:]:
        file = directory / other
        if file.exists() and seals.digest(file) != digests.get(file.name):
            yield Finding(other, "damaged", f"not what was made together with {path}: delete both")


def _difference(attributes: dict[str, str], recipe: Recipe) -> str:
    """Say in what the recipe of a file differs from the one of today."""
    if attributes.get("stage") != recipe.rule:
        return f"made by {attributes.get('stage')}, not by {recipe.rule}"
    before = json.loads(attributes.get("parameters", "{}"))
    now = dict(recipe.parameters)
    changed = [
        "{} was {} and is {}".format(name, *_shortened(before.get(name), now.get(name)))
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    if changed:
        return "; ".join(changed)
    if attributes.get("code_digest") != recipe.code:
        return f"made by other code of {recipe.rule}"
    return "something upstream of it is another"


def _shortened(before: object, now: object) -> tuple[str, str]:
    """Texts of two values, where they are long of what is around their first difference."""
    texts = ["nothing" if value is None else str(value) for value in (before, now)]
    start = max(0, len(commonprefix(texts)) - _AROUND)
    before_text, now_text = (_cut(text, start if len(text) > _LONG else 0) for text in texts)
    return before_text, now_text


def _cut(text: str, start: int) -> str:
    end = start + _LONG
    return ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")


def _files(directory: Path) -> Iterator[str]:
    """Paths of all results, without logs and unfinished files."""
    for file in sorted((directory / RESULTS).rglob("*")):
        inside = file.relative_to(directory / RESULTS)
        if file.is_file() and inside.parts[0] != _LOGS and not inside.name.startswith("."):
            yield file.relative_to(directory).as_posix()
