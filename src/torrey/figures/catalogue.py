"""Which function draws a figure and what it reads; light, so that the workflow can ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from torrey import layout
from torrey.config import Config
from torrey.layout import Layout


@dataclass(frozen=True)
class Recipe:
    """How a figure is made.

    Attributes
    ----------
    module, function : str
        ``function(FigureFiles) -> Drawing`` in ``module``.
    reads : tuple of str
        Path patterns with one wildcard, ``{geometry}`` or ``{study}``.
    caption : str
        For the report.
    """

    module: str
    function: str
    reads: tuple[str, ...]
    caption: str


_KL23 = "torrey.figures.kl23"
_KL23_CELLS = "torrey.figures.kl23_cells"
_OWN = "torrey.figures.own"

CATALOGUE: Final[dict[str, Recipe]] = {
    "kl23_fig1": Recipe(
        _KL23_CELLS, "fig1", (layout.MESH,), "Cell with its subdomains and membranes"
    ),
    "kl23_fig2": Recipe(_KL23_CELLS, "fig2", (layout.MESH,), "Periodic extension of the cell"),
    "kl23_fig3": Recipe(_KL23_CELLS, "fig3", (layout.MESH,), "The two cells with their meshes"),
    "kl23_fig4": Recipe(_KL23, "fig4", (layout.SIGNALS,), "Signals against the period"),
    "kl23_fig5": Recipe(
        _KL23,
        "fig5",
        (layout.CONVERGENCE,),
        "Errors of the homogenised models against the period, with fitted orders",
    ),
    "kl23_fig6": Recipe(_KL23, "fig6", (layout.SIGNALS,), "Signals against b, one cell"),
    "kl23_fig7": Recipe(
        _KL23,
        "fig7",
        (layout.KURTOSIS, layout.SIGNALS),
        "Apparent diffusion and kurtosis",
    ),
    "kl23_fig8": Recipe(_KL23, "fig8", (layout.SIGNALS,), "Signals against b, four cells"),
    "kl23_fig9": Recipe(
        _KL23, "fig9", (layout.EIGENVALUES,), "Eigenvalues of the second-order model against time"
    ),
    "projected_vs_order": Recipe(
        _OWN,
        "projected_vs_order",
        (layout.SIGNALS,),
        "Errors of truncated series and projected models; they dip where they change sign",
    ),
    # The table of models says what they were made with: the diffusivity.
    "validity_map": Recipe(
        _OWN,
        "validity_map",
        (layout.SIGNALS, layout.MODELS),
        "Where a model may be trusted: errors against diffusion and exchange",
    ),
}


def problems(config: Config) -> Iterator[str]:
    """Say what is wrong with the figures that a configuration asks for."""
    files = Layout(config)
    for figure in config.figures.values():
        where = f"figures.{figure.name}"
        if figure.name not in CATALOGUE:
            accepted = ", ".join(CATALOGUE)
            yield f"{where}: found a figure that nobody draws, accepted: {accepted}"
            continue
        reads = CATALOGUE[figure.name].reads
        wanted = "geometries" if "{geometry}" in reads[0] else "studies"
        if not getattr(figure, wanted):
            yield f"{where}: found no {wanted}, accepted: {wanted}: [...], which this figure shows"
            continue
        for name in figure.studies:
            study = config.studies[name]
            if layout.CONVERGENCE in reads and not files.has_orders(study):
                yield (
                    f"{where}: found study {name}, accepted: one with a reference, other models "
                    "and several periods, to which orders are fitted"
                )
            if layout.KURTOSIS in reads and not files.has_kurtosis(study):
                yield f"{where}: found study {name}, accepted: one with three b-values or more"


def paper_of(figure: str) -> str:
    """Paper that a figure belongs to, the first part of its name; ``torrey`` for the own ones."""
    return "torrey" if CATALOGUE[figure].module == _OWN else figure.split("_", 1)[0]
