"""What the usual targets of a run ask for."""

from __future__ import annotations

import os
from collections.abc import Collection

from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout
from torrey.workflow.recipes import Recipes
from torrey.workflow.stage import without_number


def everything(layout: Layout) -> list[str]:
    """Return what ``snakemake studies figures dictionaries designs`` asks for.

    Figures on request alone, and what only they show, are left out.
    """
    config = layout.config
    drawn = [name for name, figure in config.figures.items() if not figure.on_request]
    return [
        *(file for study in layout.usual_studies() for file in layout.study_files(study)),
        *layout.own_files(),
        *(paths.DICTIONARY.format(dictionary=name) for name in config.dictionaries),
        *(f"{paths.FIGURE.format(figure=name)}.nc" for name in drawn),
        *(f"{paths.TABLE.format(table=name)}.nc" for name in config.tables),
    ]


def asked_for(recipes: Recipes) -> set[str]:
    """Return the files of `everything`, and those that they are made from."""
    queue = [carrier(recipes, target) for target in everything(recipes.layout)]
    found: set[str] = set()
    for path in queue:
        if path in recipes and path not in found:
            found.add(path)
            queue.extend(recipes[path].files())
    return found


def carrier(recipes: Recipes, path: str) -> str:
    """The file with the key, where one is made beside another: the .nc of a picture."""
    return path if path in recipes else f"{os.path.splitext(path)[0]}.nc"


def part_of_rule(names: Collection[str], rules: Collection[str]) -> str | None:
    """Say what is wrong where names of rules stand for a part of what a rule makes.

    A rule in several parts, such as the batches of slabs, has the names ``rule``, ``rule_2``, ... :
    alone the first would stand for its own files without a word.

    Parameters
    ----------
    names : collection of str
        What a command names; files among them are no matter.
    rules : collection of str
        Names of all rules.

    Returns
    -------
    str or None
        None where nothing is wrong.
    """
    for name in names:
        rule = without_number(name) if name in rules else ""
        parts = [rule, *(f"{rule}_{n}" for n in range(2, len(rules) + 1))] if rule in rules else []
        parts = [part for part in parts if part in rules]
        if len(parts) > 1 and not set(parts) <= set(names):
            last = len(parts)
            numbers = "2" if last == 2 else f"{{2..{last}}}"
            return (
                f"found {name}, one of {last} parts of this rule, accepted: all of them: "
                f"{rule} {rule}_{numbers}"
            )
    return None
