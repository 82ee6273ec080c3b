"""What each table of the project holds, in whole sentences, and where in its paper it stands."""

from __future__ import annotations

from typing import Final

from torrey.figures.captions import Words

_INVERSION: Final = (
    "The rates of exchange, the volume fraction and the effective diffusion tensor are fitted to "
    "signals of the Bloch-Torrey reference and of the model R0. Each row holds an estimate, its "
    "deviation from the homogenised truth, and the number that the paper prints."
)

TABLES: Final[dict[str, Words]] = {
    "chl14_table5_1": Words(
        f"{_INVERSION} The cell has one disc, all parameters are free, and each fit has one random "
        "start.",
        "table 5.1",
    ),
    "chl14_table5_2": Words(
        f"{_INVERSION} The cell has one disc, all parameters are free, and the best of several "
        "random starts is kept.",
        "table 5.2",
    ),
    "chl14_table5_3": Words(
        f"{_INVERSION} The cell has one disc, the volume fraction follows from the rates, and each "
        "fit has one random start.",
        "table 5.3",
    ),
    "chl14_table5_4": Words(
        f"{_INVERSION} The cell has one disc, the volume fraction follows from the rates, and the "
        "best of several random starts is kept.",
        "table 5.4",
    ),
    "chl14_table5_5": Words(
        f"{_INVERSION} The box has four cells, the volume fraction follows from the rates, and the "
        "best of several random starts is kept.",
        "table 5.5",
    ),
    "chl14_table5_3directions": Words(
        f"{_INVERSION} The box has four cells, as in table 5.5. Signals along a third direction "
        "find the off-diagonal entry of the tensor, which those along two axes do not depend on.",
        "table 5.5, with a direction that the paper lacks",
    ),
    "khm19_table_tensors": Words(
        "The table holds all components of the tensors D, S, T, B and W of every box, what "
        "symmetry leaves of W, and checks of these symmetries. W is given over the square of the "
        "period, with which it grows.",
        "equations (8)-(16), (20) and (25)",
    ),
    "khm19_table_kurtosis": Words(
        "The table compares the kurtosis of the paper's formula with the exact one, for every box, "
        "time between the pulses and period.",
        "equations (25) and (27)",
    ),
}
"""Words of the tables in `torrey.tables.catalogue`."""
