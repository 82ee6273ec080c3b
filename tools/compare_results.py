"""Compare the results that two commits have made, number by number.

    python tools/compare_results.py OLD/results NEW/results [--rename OLD=NEW] [--moved OLD=NEW] ...

NetCDF files, CSV and Markdown tables are compared by relative path: all variables, all columns.
Numbers agree if they differ by no more than the tolerance, relative to the largest absolute value
of their variable; texts agree exactly; missing values stand in the same places. Attributes do not
count, and pictures only by their presence. The exit code is 0 if all agrees, 1 if anything differs
or is in one tree alone, 2 if the trees have no file in common.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import partial
from itertools import groupby, zip_longest
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

SUFFIXES = {".nc", ".csv", ".md", ".pdf", ".png"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ALONE = "only in the "


@dataclass(frozen=True)
class Rules:
    """How things are compared; names and beginnings of paths map the old tree to the new one."""

    floor: float = 0.0  # absolute differences up to here are none
    elementwise: bool = False  # relative to the numbers, not to the largest of their variable
    rename: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)

    def new_name(self, name: str) -> str:
        """Return the new name of a variable; the groups that it is in may have new ones too."""
        parts = [self.rename.get(part, part) for part in name.split("/")]
        return self.rename.get(name, "/".join(parts))

    def new_place(self, path: str) -> str:
        """Return where a file of the old tree is in the new one."""
        start = next(filter(path.startswith, self.moved), "")
        return self.moved.get(start, "") + path.removeprefix(start)


@dataclass(frozen=True)
class Finding:
    """How far a variable of a file differs: infinitely far where no rounding explains it."""

    place: str  # file:variable, or the file alone
    size: float
    note: str = ""

    @property
    def kind(self) -> str:
        """Kind of the file: ``studies/signals``, ``tensors``, ``figures``, ``tables .csv``, ..."""
        path = Path(self.place.split(":")[0])
        stem = f"/{path.stem}" if len(path.parts) == 3 else ""
        return path.parts[0] + stem + (f" {path.suffix}" if path.suffix != ".nc" else "")


def variables(group: netCDF4.Dataset, within: str = "") -> Iterator[tuple[str, NDArray]]:
    """Yield names, with their groups, and values; missing numbers are NaN."""
    for name, variable in group.variables.items():
        values = np.ma.asarray(variable[...])
        if values.dtype.kind in "biuf":
            yield within + name, np.ma.filled(values.astype(float), np.nan)
        else:
            yield within + name, np.asarray(np.ma.filled(values))
    for name, inner in group.groups.items():
        yield from variables(inner, f"{within}{name}/")


def columns(rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, NDArray]]:
    """Yield the numbers of each column of a table, NaN where a text is, and its texts."""
    for place, cells in enumerate(zip_longest(*rows, fillvalue="")):
        numbers = np.array([float(c) if NUMBER.fullmatch(c) else np.nan for c in cells])
        yield f"column {place} (numbers)", numbers
        yield f"column {place} (texts)", np.where(np.isnan(numbers), np.array(cells), "")


def read(path: Path) -> dict[str, NDArray]:
    """Read all that is compared of a file, by name."""
    match path.suffix:
        case ".nc":
            with netCDF4.Dataset(path) as file:
                return dict(variables(file))
        case ".csv":
            with path.open(encoding="utf-8", newline="") as lines:
                return dict(columns(list(csv.reader(lines))))
        case ".md":  # spaces and dashes that set the widths of columns are no content
            text = re.sub("-{2,}", "--", path.read_text(encoding="utf-8"))
            return dict(columns(re.split(r" *(?<!\\)\| *", line) for line in text.splitlines()))
    return {}


def compare_arrays(old: NDArray, new: NDArray, place: str, rules: Rules) -> Iterator[Finding]:
    """Yield the largest relative difference of two arrays, and where it is or what it is."""

    def finding(size: float, where: NDArray) -> Finding:
        at = tuple(int(i) for i in np.argwhere(where)[0])
        return Finding(place, size, f"{list(at)}: {old[at]} and {new[at]}")

    numeric = old.dtype.kind == "f"
    if old.shape != new.shape or numeric != (new.dtype.kind == "f"):
        kinds = [f"{array.dtype.name} {array.shape}" for array in (old, new)]
        yield Finding(place, np.inf, " and ".join(kinds))
        return
    same = np.asarray(old == new) | (np.isnan(old) & np.isnan(new) if numeric else False)
    both = np.isfinite(old) & np.isfinite(new) if numeric else same
    if same.all():
        yield Finding(place, 0.0)
    elif not np.all(same | both):
        yield finding(np.inf, ~(same | both))
    else:
        size = np.where(both, np.maximum(np.abs(old), np.abs(new)), 0.0)
        gap = np.abs(np.where(same, 0.0, old) - np.where(same, 0.0, new))
        gap = np.where(gap > rules.floor, gap, 0.0)
        relative = gap / (np.where(size > 0, size, 1.0) if rules.elementwise else size.max())
        yield finding(relative.max(), relative == relative.max())


def compare(
    old: Mapping, new: Mapping, new_name: Callable, each: Callable, within: str = ""
) -> Iterator[Finding]:
    """Yield what differs between things of one name, and things of one side alone."""
    names = {new_name(name): name for name in old}
    if len(names) < len(old):
        sys.exit(f"error: {within}: --rename or --moved gives two things one name")
    for name in sorted(names.keys() | new.keys()):
        if name in names and name in new:
            yield from each(old[names[name]], new[name], within + name)
        else:
            yield Finding(within + name, np.inf, ALONE + ("old" if name in names else "new"))


def compare_files(old: Path, new: Path, path: str, rules: Rules) -> Iterator[Finding]:
    """Yield by how much each variable of two files differs."""
    yield Finding(path, 0.0)
    arrays = partial(compare_arrays, rules=rules)
    yield from compare(read(old), read(new), rules.new_name, arrays, f"{path}:")


def compare_trees(old: Path, new: Path, rules: Rules) -> Iterator[Finding]:
    """Yield by how much each variable of each file of two trees differs."""
    before, after = (
        {p.relative_to(tree).as_posix(): p for p in tree.rglob("*") if p.suffix in SUFFIXES}
        for tree in (old, new)
    )
    yield from compare(before, after, rules.new_place, partial(compare_files, rules=rules))


def report(findings: Sequence[Finding], tolerance: float) -> Iterator[str]:
    """Yield the lines of a table by kind of file, and of what differs."""
    yield "| kind | files | variables | differing | largest | where |\n|-|-:|-:|-:|-:|-|"
    for kind, members in groupby(sorted(findings, key=lambda f: f.kind), lambda f: f.kind):
        found = list(members)
        worst = max(found, key=lambda f: f.size)
        files, shown = {f.place.split(":")[0] for f in found}, [f for f in found if ":" in f.place]
        wrong = sum(f.size > tolerance for f in found)
        where = f"{worst.size:.2g} | {worst.place}, {worst.note}" if worst.size else "0 |"
        yield f"| {kind} | {len(files)} | {len(shown)} | {wrong} | {where} |"
    for f in sorted(findings, key=lambda f: (f.kind, -f.size, f.place)):
        if f.size > tolerance:
            yield f"{f.kind}: {f.place} differs by {f.size:.2g}: {f.note}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two trees as the command line says, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-10)
    parser.add_argument("--floor", type=float, default=0.0, help="absolute, counts as none")
    parser.add_argument("--elementwise", action="store_true", help="relative to each number")
    for name, form in (("rename", "OLD=NEW"), ("moved", "OLD=NEW"), ("allow-missing", "PATTERN")):
        parser.add_argument(f"--{name}", metavar=form, action="append", default=[])
    given = parser.parse_args(arguments)
    changes = [dict(text.split("=", 1) for text in texts) for texts in (given.rename, given.moved)]
    rules = Rules(given.floor, given.elementwise, *changes)
    allowed = re.compile("|".join(map(translate, given.allow_missing)) or "(?!)")
    compared = compare_trees(given.old, given.new, rules)
    findings = [f for f in compared if not (f.note.startswith(ALONE) and allowed.match(f.place))]
    print("\n".join(report(findings, given.tolerance)))
    if all(f.note.startswith(ALONE) for f in findings):
        parser.error("the trees have no file in common")  # with exit code 2
    return int(any(f.size > given.tolerance for f in findings))


if __name__ == "__main__":
    sys.exit(main())
