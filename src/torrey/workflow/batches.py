"""Slabs to be made, in batches: many of them take less time than the start of a job.

What is there and up to date is in no batch. A batch holds slabs of one rule that have all inputs in
common and are wanted by the same studies, so that no study waits for what it does not need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from torrey.workflow.recipes import Recipes, files_of
from torrey.workflow.stage import without_number
from torrey.workflow.stages import EvaluateModels, SolveProjected

#: Points that take about a second: a projected signal takes some milliseconds with its error
#: estimates, that of a model a tenth of that beside what each slab costs.
_POINTS: Final[Mapping[str, int]] = {SolveProjected.rule: 200, EvaluateModels.rule: 2000}
_LEAST_POINTS: Final[Mapping[str, int]] = {SolveProjected.rule: 1, EvaluateModels.rule: 40}
#: A way through a queue takes longer than the start of a job.
_QUEUED: Final = 30


_FORCE_ALL: Final = "--forceall"
_FORCE_RULES: Final = "--forcerun"
#: Options of one letter; R takes what follows it.
_LETTERS: Final = re.compile(r"-([A-QS-Za-z]*)(R)?=?(.*)")


def forced_rules(words: Sequence[str]) -> frozenset[str]:
    """Rules of slabs that the words of a command want done again, whatever is there."""
    rules = frozenset(_POINTS)
    forced: set[str] = set()
    listing = False
    for word in words:
        if word.startswith("--"):
            option, _, word = word.partition("=")
            listing = option == _FORCE_RULES
            if option == _FORCE_ALL:
                return rules
        elif found := _LETTERS.fullmatch(word):
            # Letters may stand together, as in -nF, and a value behind the last one.
            flags, listing, word = found[1], bool(found[2]), found[3] or ""
            if "F" in flags:
                return rules
        if listing:
            forced.update(map(without_number, word.split()))
    return rules & forced


@dataclass(frozen=True)
class Batch:
    """Slabs that one job makes.

    Attributes
    ----------
    rule : str
    number : int
        From 1, for each rule.
    outputs : tuple of str
        Their paths.
    """

    rule: str
    number: int
    outputs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the rule of this batch."""
        return self.rule if self.number == 1 else f"{self.rule}_{self.number}"


@dataclass(frozen=True)
class Batches:
    """All batches of a run; jobs on other machines read them instead of finding their own."""

    all: tuple[Batch, ...]

    @classmethod
    def of(cls, recipes: Recipes, forced: Collection[str], queued: bool) -> Self:
        """Batches of what is not there or not up to date.

        Parameters
        ----------
        recipes : Recipes
        forced : collection of str
            Rules of which all is to be made again, also what is up to date.
        queued : bool
            Whether jobs go through a queue.
        """
        wanted = [
            path
            for path in recipes.layout.slab_jobs
            if not Path(path).exists() or recipes[path].rule in forced or recipes.is_stale(path)
        ]
        return cls.shared(recipes, wanted, queued)

    @classmethod
    def shared(cls, recipes: Recipes, wanted: Iterable[str], queued: bool) -> Self:
        """Batches of some slabs, by their paths; the rest as for `of`."""
        counts: dict[str, int] = {}
        batches = []
        for rule, outputs in _parted(recipes, wanted, _QUEUED if queued else 1):
            counts[rule] = counts.get(rule, 0) + 1
            batches.append(Batch(rule, counts[rule], outputs))
        return cls(tuple(batches))

    def of_rule(self, rule: str) -> list[Batch]:
        """Batches of one rule."""
        return [batch for batch in self.all if batch.rule == rule]

    def write(self, path: Path) -> None:
        """Write them down for jobs on other machines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(batch) for batch in self.all]), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(Batch(p["rule"], p["number"], tuple(p["outputs"])) for p in plain))


def _parted(
    recipes: Recipes, paths: Iterable[str], factor: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Rule and paths of each batch."""
    studies = _studies(recipes)
    groups: dict[tuple[object, ...], list[str]] = {}
    for path in paths:
        recipe = recipes[path]
        inputs = tuple(file for entry in recipe.inputs.values() for file in files_of(entry))
        groups.setdefault((recipe.rule, inputs, studies[path]), []).append(path)
    for (rule, *_), members in groups.items():
        yield from ((str(rule), part) for part in _chunks(recipes, str(rule), members, factor))


def _studies(recipes: Recipes) -> Mapping[str, frozenset[str]]:
    """Names of the studies that want each slab."""
    layout = recipes.layout
    found: dict[str, set[str]] = {}
    for study in recipes.config.studies.values():
        for model in layout.slab_models(study):
            for path in layout.slab_files(study, model):
                found.setdefault(path, set()).add(study.name)
    return {path: frozenset(names) for path, names in found.items()}


def _chunks(
    recipes: Recipes, rule: str, paths: Iterable[str], factor: int
) -> Iterator[tuple[str, ...]]:
    """Parts of about a second."""
    part: list[str] = []
    points = 0
    for path in paths:
        part.append(path)
        points += max(recipes.layout.slab_jobs[path].slab.size, _LEAST_POINTS[rule])
        if points >= factor * _POINTS[rule]:
            yield tuple(part)
            part, points = [], 0
    if part:
        yield tuple(part)
