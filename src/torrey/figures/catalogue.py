"""Which function draws a figure and what it reads; light, so that the workflow can ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from torrey import layout
from torrey.config import Config, Figure, Table
from torrey.layout import Layout, shown


@dataclass(frozen=True)
class Recipe:
    """How a figure is made.

    Attributes
    ----------
    module, function : str
        ``function(FigureFiles) -> Drawing`` in ``module``.
    reads : tuple of str
        Path patterns with the wildcard of what the figure shows: ``{geometry}`` or ``{study}``. Of
        a study, ``{geometry}`` and ``{material}`` may stand beside it.
    caption : str
        For the report.
    """

    module: str
    function: str
    reads: tuple[str, ...]
    caption: str


_CHL14 = "torrey.figures.chl14"
_KHM19 = "torrey.figures.khm19"
_INVERSIONS = "torrey.figures.inversions"
_KL23 = "torrey.figures.kl23"
_KL23_CELLS = "torrey.figures.kl23_cells"
_MMG20_CELLS = "torrey.figures.mmg20_cells"
_MMG20_PULSES = "torrey.figures.mmg20_pulses"
_MMG20_SIGNALS = "torrey.figures.mmg20_signals"
_MMG20_SPECTRUM = "torrey.figures.mmg20_spectrum"
_MMG20_VOLUME = "torrey.figures.mmg20_volume"
_LAYERS = "torrey.figures.layers"
_OWN = "torrey.figures.own"

CATALOGUE: Final[dict[str, Recipe]] = {
    "chl14_fig4_1": Recipe(_CHL14, "fig4_1", (layout.SIGNALS,), "Signals against b, one cell"),
    "chl14_fig4_2": Recipe(
        _CHL14, "fig4_2", (layout.SIGNALS, layout.MESH), "Signals against b, four cells"
    ),
    "inversion_bias": Recipe(
        _INVERSIONS,
        "inversion_bias",
        (layout.INVERSION,),
        "Permeability recovered from reference signals by several models, against the true one",
    ),
    "inversion_noise": Recipe(
        _INVERSIONS,
        "inversion_noise",
        (layout.INVERSION,),
        "Bias and spread of fitted exchange parameters against the signal-to-noise ratio",
    ),
    "khm19_fig1": Recipe(_KHM19, "fig1", (layout.MESH,), "The two boxes with their meshes"),
    "khm19_fig2": Recipe(
        _KHM19, "fig2", (layout.SIGNALS, layout.MESH), "Signals against the period"
    ),
    "khm19_fig3": Recipe(_KHM19, "fig3", (layout.SIGNALS,), "Signals against b"),
    "khm19_fig4": Recipe(_KHM19, "fig4", (layout.MESH,), "The boxes with layers around cells"),
    "khm19_fig5": Recipe(
        _KHM19, "fig5", (layout.SIGNALS, layout.MESH), "Signals against b, boxes with layers"
    ),
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
    "layer_limit": Recipe(
        _LAYERS,
        "layer_limit",
        (layout.SIGNALS, layout.MESH),
        "A layer of low diffusivity becomes a membrane as it thins",
    ),
    "mmg20_fig1": Recipe(_MMG20_CELLS, "fig1", (layout.MESH,), "A medium periodic along x"),
    "mmg20_fig2": Recipe(
        _MMG20_PULSES, "fig2", (layout.BLOCH,), "Steps for the wave number by the four rules"
    ),
    "mmg20_fig3": Recipe(_MMG20_CELLS, "fig3", (layout.MESH,), "Three unit cells of one medium"),
    "mmg20_fig4": Recipe(
        _MMG20_SIGNALS, "fig4", (layout.BLOCH,), "Magnetisation for a gradient along x"
    ),
    "mmg20_fig5": Recipe(
        _MMG20_SIGNALS, "fig5", (layout.BLOCH,), "Magnetisation for a gradient along the diagonal"
    ),
    "mmg20_fig6": Recipe(
        _MMG20_SIGNALS, "fig6", (layout.BLOCH,), "Signals against the gradient, with three laws"
    ),
    "mmg20_fig7": Recipe(
        _MMG20_VOLUME, "fig7", (layout.BLOCH,), "Magnetisation in a cubic lattice of spheres"
    ),
    "mmg20_fig8": Recipe(
        _MMG20_SPECTRUM, "fig8", (layout.BLOCH,), "Spectrum of the Bloch-Torrey operator"
    ),
    "mmg20_fig9": Recipe(
        _MMG20_SPECTRUM, "fig9", (layout.BLOCH,), "The spectrum over a wider range of gradients"
    ),
    "mmg20_fig10": Recipe(
        _MMG20_SPECTRUM, "fig10", (layout.BLOCH,), "Eigenmodes on both sides of a branching point"
    ),
    "mmg20_fig11": Recipe(
        _MMG20_PULSES, "fig11", (layout.BLOCH,), "The first two bands of the Laplacian"
    ),
    "mmg20_figA1": Recipe(
        _MMG20_PULSES, "figA1", (layout.BLOCH, layout.MESH), "Narrow pulses along x"
    ),
    "mmg20_figA2": Recipe(
        _MMG20_PULSES, "figA2", (layout.BLOCH, layout.MESH), "Narrow pulses along the diagonal"
    ),
    "mmg20_figA3": Recipe(
        _MMG20_PULSES, "figA3", (layout.BLOCH,), "Signals of narrow pulses against q"
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
    return entry_problems(config, "figures", config.figures, CATALOGUE)


def entry_problems(
    config: Config,
    section: str,
    entries: Mapping[str, Figure] | Mapping[str, Table],
    catalogue: Mapping[str, Recipe],
) -> Iterator[str]:
    """Say what is wrong with the figures or the tables of a configuration."""
    files = Layout(config)
    one = section.removesuffix("s")
    for entry in entries.values():
        where = f"{section}.{entry.name}"
        if entry.name not in catalogue:
            accepted = ", ".join(catalogue)
            yield f"{where}: found a {one} that nobody {_VERB[one]}, accepted: {accepted}"
            continue
        reads = catalogue[entry.name].reads
        wanted = _wanted(reads)
        if not shown(entry, wanted):
            yield f"{where}: found no {wanted}, accepted: {wanted}: [...], which this {one} shows"
            continue
        for name in entry.studies:
            study = config.studies[name]
            if layout.CONVERGENCE in reads and not files.has_orders(study):
                yield (
                    f"{where}: found study {name}, accepted: one with a reference, other models "
                    "and several periods, to which orders are fitted"
                )
            if layout.KURTOSIS in reads and not files.has_kurtosis(study):
                yield f"{where}: found study {name}, accepted: one with three b-values or more"
            if layout.TENSORS in reads and not files.tensors(study):
                yield f"{where}: found study {name}, accepted: membranes between compartments"


_VERB: Final = {"figure": "draws", "table": "makes"}


def _wanted(reads: tuple[str, ...]) -> str:
    """Section of what is shown; a study's files may stand beside those of its geometry."""
    text = "".join(reads)
    if "{inversion}" in text:
        return "inversions"
    if "{bloch}" in text:
        return "bloch"
    return "studies" if "{study}" in text or "{material}" in text else "geometries"


def paper_of(figure: str) -> str:
    """Paper that a figure belongs to, the first part of its name; ``torrey`` for the own ones."""
    return (
        "torrey"
        if CATALOGUE[figure].module in (_OWN, _INVERSIONS, _LAYERS)
        else figure.split("_", 1)[0]
    )
