"""Which function draws a figure and what it reads; light, so that the workflow can ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from torrey.base.errors import either
from torrey.base.nearest import did_you_mean
from torrey.config import Config, FigureRequest, TableRequest
from torrey.figures.entries import Entry, Source
from torrey.figures.needs import FitNeeds, Needs, runs, studies, unmet
from torrey.figures.own_kinds import KINDS
from torrey.gradients.sweep import ENCODINGS, REFERENCE

_SECTIONS: Final[dict[Source, str]] = {
    "inversion": "inversions",
    "bloch": "bloch",
    "voxel": "voxels",
}
"""Section of the configuration that a kind of file is made for; studies or geometries without."""


_CHL14 = "torrey.figures.chl14"
_CHL14_VOXEL = "torrey.figures.chl14_voxel"
_KHM19 = "torrey.figures.khm19"
_EXCHANGE_BIAS = "torrey.figures.exchange_bias"
_FITS = "torrey.figures.fits"
_INVERSIONS = "torrey.figures.inversions"
_KL23 = "torrey.figures.kl23"
_KL23_CUMULANTS = "torrey.figures.kl23_cumulants"
_KL23_CELLS = "torrey.figures.kl23_cells"
_KL23_ORDERS = "torrey.figures.kl23_orders"
_MMG20_CELLS = "torrey.figures.mmg20_cells"
_MMG20_MAPS = "torrey.figures.mmg20_maps"
_MMG20_PULSES = "torrey.figures.mmg20_pulses"
_MMG20_SIGNALS = "torrey.figures.mmg20_signals"
_MMG20_SPECTRUM = "torrey.figures.mmg20_spectrum"
_MMG20_VOLUME = "torrey.figures.mmg20_volume"
_LAYERS = "torrey.figures.layers"
_DISPERSION = "torrey.figures.dispersion"
_OWN = "torrey.figures.own"

_PLANE: Final = Needs(dimension=2)
_ONE_CELL: Final = Needs(most=1, dimension=2, outlines="membranes")
_ONE_MEDIUM: Final = Needs(most=1, dimension=2, outlines="obstacles")
_VOXEL: Final = Needs(most=1)


CATALOGUE: Final[dict[str, Entry]] = {
    "chl14_fig4_1": Entry(
        _CHL14,
        "fig4_1",
        ("signals", "mesh"),
        "Signals against b, one cell",
        studies(("b",), ("Delta",)),
    ),
    "chl14_fig4_2": Entry(
        _CHL14,
        "fig4_2",
        ("signals", "mesh"),
        "Signals against b, four cells",
        studies(("b", "direction"), most=1, dimension=2),
    ),
    "chl14_fig6_1": Entry(
        _CHL14_VOXEL,
        "fig6_1",
        ("voxel",),
        "A voxel in a larger box of random cells, a small one",
        _VOXEL,
    ),
    "chl14_fig6_1_full": Entry(
        _CHL14_VOXEL, "fig6_1", ("voxel",), "A voxel in a larger box of 20,000 random cells", _VOXEL
    ),
    "exchange_bias": Entry(
        _EXCHANGE_BIAS,
        "exchange_bias",
        ("inversion",),
        "Exchange times that models find in signals of known cells, against the exact ones",
        Needs(fits=FitNeeds("exchange")),
    ),
    "fit_estimates": Entry(
        _FITS,
        "fit_estimates",
        ("inversion",),
        "Estimates from measured signals, by voxel, with their intervals",
        KINDS["fit"].needs,
    ),
    "fit_maps": Entry(
        _FITS,
        "fit_maps",
        ("inversion",),
        KINDS["maps"].caption,
        KINDS["maps"].needs,
    ),
    "inversion_bias": Entry(
        _INVERSIONS,
        "inversion_bias",
        ("inversion",),
        "Permeability recovered from reference signals by several models, against the true one",
        Needs(fits=FitNeeds("physical", parameter="kappa")),
    ),
    "inversion_noise": Entry(
        _INVERSIONS,
        "inversion_noise",
        ("inversion",),
        "Bias and spread of fitted exchange parameters against the signal-to-noise ratio",
        Needs(most=1, fits=FitNeeds("karger", noise=True)),
    ),
    "khm19_domain": Entry(
        "torrey.figures.khm19_domain",
        "domain",
        ("tensors", "signals", "mesh"),
        "Where the model of order two holds: its exponent K is above zero, and no state grows",
        studies(
            over=("Delta", "b"),
            free=("period",),
            shared=("delta",),
            waveforms=("pgse",),
            closed=True,
        ),
    ),
    "khm19_fig1": Entry(_KHM19, "fig1", ("mesh",), "The two boxes with their meshes", _PLANE),
    "khm19_fig2": Entry(
        _KHM19,
        "fig2",
        ("signals", "mesh"),
        "Signals against the period",
        studies(("period",), dimension=2),
    ),
    "khm19_fig3": Entry(
        _KHM19, "fig3", ("signals", "mesh"), "Signals against b", studies(("b",), ("Delta",))
    ),
    "khm19_fig4": Entry(_KHM19, "fig4", ("mesh",), "The boxes with layers around cells", _PLANE),
    "khm19_fig5": Entry(
        _KHM19,
        "fig5",
        ("signals", "mesh"),
        "Signals against b, boxes with layers",
        studies(("b",), ("Delta",), shared=("Delta",), dimension=2),
    ),
    "kl23_fig1": Entry(
        _KL23_CELLS, "fig1", ("mesh",), "Cell with its subdomains and membranes", _ONE_CELL
    ),
    "kl23_fig2": Entry(_KL23_CELLS, "fig2", ("mesh",), "Periodic extension of the cell", _ONE_CELL),
    "kl23_fig3": Entry(_KL23_CELLS, "fig3", ("mesh",), "The two cells with their meshes", _PLANE),
    "kl23_fig4": Entry(
        _KL23, "fig4", ("signals", "mesh"), "Signals against the period", studies(("period",))
    ),
    "kl23_fig5": Entry(
        _KL23_ORDERS,
        "fig5",
        ("convergence", "mesh"),
        "Errors of the homogenised models against the period, with fitted orders",
        studies(("period",)),
    ),
    "kl23_fig6": Entry(
        _KL23,
        "fig6",
        ("signals", "mesh"),
        "Signals against b, one cell",
        studies(("b",), ("permeability", "Delta")),
    ),
    "kl23_fig7": Entry(
        _KL23_CUMULANTS,
        "fig7",
        ("cumulants", "kurtosis", "signals"),
        "Apparent diffusion and kurtosis, at b -> 0 and as the paper fits them",
        studies(("Delta",), free=ENCODINGS, most=1),
    ),
    "kl23_fig8": Entry(
        _KL23,
        "fig8",
        ("signals", "mesh"),
        "Signals against b, four cells, and how far each model is from the reference",
        studies(("b",), ("Delta", "permeability"), models=(REFERENCE,), compared=True),
    ),
    "kl23_fig9": Entry(
        _KL23,
        "fig9",
        ("eigenvalues", "mesh"),
        "Eigenvalues of the second-order model against time",
        studies(("b",), ("Delta", "permeability"), one_of=("lumped-R2", "R2")),
    ),
    "layer_limit": Entry(
        _LAYERS,
        "layer_limit",
        ("signals", "mesh"),
        "A layer of low diffusivity becomes a membrane as it thins",
        studies(
            over=("Delta",),
            shared=("Delta",),
            models=(REFERENCE,),
            layered=True,
            least=3,
            dimension=2,
        ),
    ),
    "mmg20_fig1": Entry(_MMG20_CELLS, "fig1", ("mesh",), "A medium periodic along x", _ONE_MEDIUM),
    "mmg20_fig2": Entry(
        _MMG20_PULSES,
        "fig2",
        ("bloch",),
        "Steps for the wave number by the four rules",
        runs("sampling"),
    ),
    "mmg20_fig3": Entry(
        _MMG20_CELLS, "fig3", ("mesh",), "Three unit cells of one medium", _ONE_MEDIUM
    ),
    "mmg20_fig4": Entry(
        _MMG20_MAPS,
        "fig4",
        ("bloch", "mesh"),
        "Magnetisation for a gradient along x",
        runs("maps", dimension=2, along=((1, 0),)),
    ),
    "mmg20_fig5": Entry(
        _MMG20_MAPS,
        "fig5",
        ("bloch", "mesh"),
        "Magnetisation for a gradient along the diagonal",
        runs("maps", dimension=2, along=((1, 1),)),
    ),
    "mmg20_fig6": Entry(
        _MMG20_SIGNALS,
        "fig6",
        ("bloch",),
        "Signals against the gradient, with three laws",
        runs("strengths", dimension=2, directions=2),
    ),
    "mmg20_fig7": Entry(
        _MMG20_VOLUME,
        "fig7",
        ("bloch",),
        "Magnetisation in a cubic lattice of spheres",
        runs("schemes", dimension=3),
    ),
    "mmg20_fig8": Entry(
        _MMG20_SPECTRUM,
        "fig8",
        ("bloch",),
        "Spectrum of the Bloch-Torrey operator",
        runs("spectrum"),
    ),
    "mmg20_fig9": Entry(
        _MMG20_SPECTRUM,
        "fig9",
        ("bloch",),
        "The spectrum over a wider range of gradients",
        runs("spectrum"),
    ),
    "mmg20_fig10": Entry(
        _MMG20_SPECTRUM,
        "fig10",
        ("bloch",),
        "Eigenmodes on both sides of a branching point",
        runs("modes", dimension=2),
    ),
    "mmg20_fig11": Entry(
        _MMG20_PULSES,
        "fig11",
        ("bloch",),
        "The first two bands of the Laplacian",
        runs("bands", most=None, along_x=True),
    ),
    "mmg20_sampling_error": Entry(
        _MMG20_SIGNALS,
        "sampling_error",
        ("bloch",),
        "Error of narrow pulses against their number, by the four rules",
        runs("schemes", most=None),
    ),
    "mmg20_figA1": Entry(
        _MMG20_MAPS,
        "figA1",
        ("bloch", "mesh"),
        "Narrow pulses along x",
        runs("narrow-maps", dimension=2, along=((1, 0),)),
    ),
    "mmg20_figA2": Entry(
        _MMG20_MAPS,
        "figA2",
        ("bloch", "mesh"),
        "Narrow pulses along the diagonal",
        runs("narrow-maps", dimension=2, along=((1, 1),)),
    ),
    "mmg20_figA3": Entry(
        _MMG20_PULSES,
        "figA3",
        ("bloch",),
        "Signals of narrow pulses against q",
        runs("narrow-signals", directions=2),
    ),
    "dispersion": Entry(
        _DISPERSION,
        "dispersion",
        ("bloch", "mesh"),
        KINDS["dispersion"].caption,
        KINDS["dispersion"].needs,
    ),
    "projected_vs_order": Entry(
        _OWN,
        "projected_vs_order",
        ("signals", "mesh"),
        "Errors of truncated series and projected models; they dip where they change sign",
        studies(
            each=("period", "permeability", "b"),
            models=(REFERENCE,),
            compared=True,
            least=3,
            most=3,
        ),
    ),
    "validity_map": Entry(
        _OWN,
        "validity_map",
        ("signals", "mesh"),
        "Where a model may be trusted: errors against diffusion and exchange",
        studies(
            ("period", "permeability"),
            ("b",),
            several=("period", "permeability"),
            models=(REFERENCE,),
            compared=True,
            most=1,
        ),
        Needs(most=1, fits=FitNeeds("exchange")),
    ),
}


def problems(config: Config) -> Iterator[str]:
    """Say what is wrong with the figures that a configuration asks for."""
    own = {name for name, figure in config.figures.items() if figure.kind}
    for name in own & set(CATALOGUE):
        yield (
            f"figures.{name}: found a kind for a figure of the project, which it would replace, "
            "accepted: another name, or no kind"
        )
    for name in own - set(CATALOGUE):
        entry, figure = KINDS[config.figures[name].kind], config.figures[name]
        section = _wanted(entry.reads)
        for problem in unmet(entry.needs, config, section, shown(figure, section)):
            yield f"figures.{name}: {problem}"
    named = {name: figure for name, figure in config.figures.items() if name not in own}
    yield from entry_problems(config, "figures", named, CATALOGUE)


def entry_problems(
    config: Config,
    section: str,
    entries: Mapping[str, FigureRequest] | Mapping[str, TableRequest],
    catalogue: Mapping[str, Entry],
) -> Iterator[str]:
    """Say what is wrong with the figures or the tables of a configuration."""
    one = section.removesuffix("s")
    for entry in entries.values():
        where = f"{section}.{entry.name}"
        if entry.name not in catalogue:
            own = f"any name with a kind ({either(KINDS)}), or one of " if one == "figure" else ""
            accepted = f"{own}{', '.join(catalogue)}"
            near = did_you_mean(entry.name, list(catalogue))
            yield f"{where}: found a {one} that nobody {_VERB[one]}{near}, accepted: {accepted}"
            continue
        reads = catalogue[entry.name].reads
        wanted = _wanted(reads)
        if not shown(entry, wanted):
            yield f"{where}: found no {wanted}, accepted: {wanted}: [...], which this {one} shows"
            continue
        names = shown(entry, wanted)
        for problem in unmet(catalogue[entry.name].needs, config, wanted, names):
            yield f"{where}: {problem}"
        for problem in _beside(config, catalogue[entry.name], getattr(entry, "fits", ())):
            yield f"{where}.fits: {problem}"
        for name in entry.studies:
            study = config.studies[name]
            if "convergence" in reads and not study.has_orders:
                yield (
                    f"{where}: found study {name}, accepted: one with a reference, other models "
                    "and several periods, to which orders are fitted"
                )
            if "kurtosis" in reads and not study.has_kurtosis:
                yield f"{where}: found study {name}, accepted: one with three b-values or more"
            if "cumulants" in reads and not study.cumulants:
                yield f"{where}: found study {name}, accepted: one with cumulants: true"
            if "tensors" in reads and not study.has_tensors:
                yield f"{where}: found study {name}, accepted: membranes between compartments"


def _beside(config: Config, kind: Entry, fits: tuple[str, ...]) -> Iterator[str]:
    """Say what is wrong with the inversions that are shown beside something else."""
    if fits and kind.beside is None:
        yield f"found {', '.join(fits)}, accepted: none, which this figure does not show"
    elif fits and kind.beside is not None:
        yield from unmet(kind.beside, config, "inversions", fits)


_VERB: Final = {"figure": "draws", "table": "makes"}


def section_shown(entry: Entry) -> str:
    """Section of the configuration whose entries a figure or a table shows."""
    return _wanted(entry.reads)


def _wanted(reads: tuple[Source, ...]) -> str:
    """Section of what is shown; a study's files may stand beside those of its geometry."""
    if set(reads) == {"mesh"}:
        return "geometries"
    return next((_SECTIONS[kind] for kind in reads if kind in _SECTIONS), "studies")


def shown(entry: FigureRequest | TableRequest, section: str | None = None) -> tuple[str, ...]:
    """Names of what a figure or a table shows, in all sections or in one of them."""
    lists = {
        "geometries": entry.geometries,
        "studies": entry.studies,
        "inversions": entry.inversions,
        "bloch": getattr(entry, "bloch", ()),
        "voxels": getattr(entry, "voxels", ()),
    }
    return lists[section] if section else next(filter(None, lists.values()), ())


def entry_of(figure: str, kind: str) -> Entry:
    """How a figure is made: of the project, or of one's own if it has a kind."""
    return KINDS[kind] if kind else CATALOGUE[figure]


def paper_of(figure: str) -> str:
    """Paper that a figure belongs to, the first part of its name.

    ``torrey`` stands for the project's own ones, ``own`` for those that only a user has.
    """
    if figure not in CATALOGUE:
        return "own"
    return (
        "torrey"
        if CATALOGUE[figure].module
        in (_DISPERSION, _EXCHANGE_BIAS, _FITS, _OWN, _INVERSIONS, _LAYERS)
        else figure.split("_", 1)[0]
    )
