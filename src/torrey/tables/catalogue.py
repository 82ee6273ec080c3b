"""Which function makes a table and what it reads; light, so that the workflow can ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torrey.config import Config
from torrey.figures.catalogue import entry_problems
from torrey.figures.entries import Entry
from torrey.figures.needs import FitNeeds, Needs, StudyNeeds
from torrey.gradients.sweep import ENCODINGS, REFERENCE

_CHL14: Final = {
    "5_1": "one cell, single initial guesses",
    "5_2": "one cell, the best of several initial guesses",
    "5_3": "one cell, single initial guesses, theta_c from the rates",
    "5_4": "one cell, the best of several initial guesses, theta_c from the rates",
    "5_5": "four cells, the best of several initial guesses, theta_c from the rates",
    "5_3directions": "four cells along three directions, which find the off-diagonal entry of D_e",
}

CATALOGUE: Final[dict[str, Entry]] = {
    **{
        f"chl14_table{number}": Entry(
            "torrey.tables.chl14",
            f"table{number}",
            ("inversion",),
            f"Inversion beside the paper's numbers: {text}",
            Needs(most=1, fits=FitNeeds("karger")),
        )
        for number, text in _CHL14.items()
    },
    "khm19_table_tensors": Entry(
        "torrey.tables.khm19",
        "table_tensors",
        ("tensors", "signals", "mesh"),
        "Tensors D, S, T, B and W of every box, with their symmetries",
        Needs(
            studies=StudyNeeds(free=None, common=("delta", "Delta"), waveforms=("pgse",)),
        ),
    ),
    "khm19_table_kurtosis": Entry(
        "torrey.tables.khm19_kurtosis",
        "table_kurtosis",
        ("tensors", "cumulants", "mesh"),
        "Kurtosis of (25), (27) at several Delta beside the exact one, against the period",
        Needs(
            studies=StudyNeeds(
                over=("delta", "Delta", "period"),
                free=ENCODINGS,
                models=(REFERENCE,),
                waveforms=("pgse",),
            ),
        ),
    ),
}
"""Functions ``function(TableFiles) -> Table``; kinds of files as for the figures."""


def problems(config: Config) -> Iterator[str]:
    """Say what is wrong with the tables that a configuration asks for."""
    return entry_problems(config, "tables", config.tables, CATALOGUE)


def paper_of(table: str) -> str:
    """Paper that a table belongs to: the first part of its name."""
    return table.split("_", 1)[0]
