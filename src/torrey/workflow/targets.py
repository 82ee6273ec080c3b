"""What the usual targets of a run ask for."""

from __future__ import annotations

import os

from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout
from torrey.workflow.recipes import Recipes


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
