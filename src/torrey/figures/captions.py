"""What each figure of the project shows, in whole sentences, and where in its paper it stands.

Parameters are not written here: they are those of the configuration (`torrey.workflow.captions`).
Nothing that draws imports this module, so that an edit of a sentence draws no figure anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Words:
    """What a figure or a table shows.

    Attributes
    ----------
    text : str
        Whole sentences, in reStructuredText without links.
    where : str
        Where in its paper it stands, such as ``figure 6``; empty for what no paper has.
    """

    text: str
    where: str = ""


PAPERS: Final[dict[str, tuple[str, str]]] = {
    "kl23": (
        "KL23: Kchaou and Li 2023",
        "M. Kchaou, J.-R. Li, A second order asymptotic model for diffusion MRI in permeable "
        "media, ESAIM: M2AN 57 (2023) 1953-1980, doi:10.1051/m2an/2023043",
    ),
    "chl14": (
        "CHL14: Coatléven, Haddar and Li 2014",
        "J. Coatléven, H. Haddar, J.-R. Li, A macroscopic model including membrane exchange for "
        "diffusion MRI, SIAM J. Appl. Math. 74 (2014) 516-546, doi:10.1137/130914255",
    ),
    "khm19": (
        "KHM19: Kchaou, Haddar and Moakher 2019",
        "M. Kchaou, H. Haddar, M. Moakher, The derivation of homogenized diffusion kurtosis models "
        "for diffusion MRI (2019)",
    ),
    "mmg20": (
        "MMG20: Moutal, Moutal and Grebenkov 2020",
        "N. Moutal, A. Moutal, D. S. Grebenkov, Diffusion NMR in periodic media: efficient "
        "computation and spectral properties, J. Phys. A 53 (2020) 325201",
    ),
}
"""Heading and citation of each paper, by the first part of the names of its figures."""


_GRAPH_OF_SIGNALS: Final = (
    "Marks are the Bloch-Torrey reference, with its numerical error where that is larger than the "
    "mark, and lines are the homogenised models."
)
_FOUR_PARTS: Final = (
    "Columns are its real part, imaginary part, absolute value and phase, rows are the lengths of "
    "the gradient l_g = (D/g)^(1/3)."
)

FIGURES: Final[dict[str, Words]] = {
    # ---- Kchaou and Li 2023 ----
    "kl23_fig1": Words(
        "The picture shows one period of the tissue with its subdomains, the membranes between "
        "them and the sides of the box.",
        "figure 1",
    ),
    "kl23_fig2": Words(
        "The picture shows the cell repeated periodically inside a finite domain.", "figure 2"
    ),
    "kl23_fig3": Words(
        "The pictures show the cells with their finest meshes. The numbers of elements of all "
        "meshes stand beside them.",
        "figure 3",
    ),
    "kl23_fig4": Words(
        "The logarithm of the signal is drawn against the period of the cell, while the "
        f"permeability grows with the period. {_GRAPH_OF_SIGNALS}",
        "figure 4",
    ),
    "kl23_fig5": Words(
        "The absolute difference between each homogenised model and the reference is drawn against "
        "the period, both in logarithms. The slope of a line is the order of the model, which is "
        "fitted and given with its standard error; theory says 2 for R0 and 4 for R2.",
        "figure 5",
    ),
    "kl23_fig6": Words(
        "Each panel shows the signal of one cell against b, for one permeability and one time "
        f"between the pulses. {_GRAPH_OF_SIGNALS}",
        "figure 6",
    ),
    "kl23_fig7": Words(
        "The apparent diffusion coefficient and the apparent kurtosis are drawn against the time "
        "between the pulses: once exactly at b = 0, from the cumulants of each model, and once as "
        "the paper fits them to signals at several b.",
        "figure 7",
    ),
    "kl23_fig8": Words(
        "Each pair of panels shows the signal of a box with several cells against b, and beside it "
        "how far each model is from the reference. The models either keep the cells apart, as one "
        "compartment each, or lump them into one, as the paper does.",
        "figure 8",
    ),
    "kl23_fig9": Words(
        "The eigenvalues of the matrix of the second-order model are drawn against time, along the "
        "waveform. A negative one stands for a state that grows at that moment, which does not by "
        "itself make the model unstable.",
        "figure 9",
    ),
    # ---- Coatleven, Haddar and Li 2014 ----
    "chl14_fig4_1": Words(
        "The logarithm of the signal of one cell is drawn against b, one panel for each time "
        f"between the pulses. {_GRAPH_OF_SIGNALS}",
        "figure 4.1",
    ),
    "chl14_fig4_2": Words(
        "The logarithm of the signal of a box with four cells is drawn against b along two "
        f"directions of the gradient; the box is drawn beside it. {_GRAPH_OF_SIGNALS}",
        "figure 4.2",
    ),
    "chl14_fig6_1": Words(
        "The signal of a square voxel full of random discs is drawn against b: once with the voxel "
        "inside a larger box of the same tissue, once with the voxel alone, repeated periodically, "
        "and by the model R0. A picture shows the voxel in its box, and the last panel how far the "
        "curves lie apart. The box is smaller than that of the paper.",
        "figure 6.1",
    ),
    "chl14_fig6_1_full": Words(
        "The signal of a square voxel full of random discs is drawn against b: once with the voxel "
        "inside a larger box of the same tissue, once with the voxel alone, repeated periodically, "
        "and by the model R0. A picture shows the voxel in its box, and the last panel how far the "
        "curves lie apart. The box has the size and the 20,000 discs of the paper.",
        "figure 6.1",
    ),
    # ---- Kchaou, Haddar and Moakher 2019 ----
    "khm19_fig1": Words(
        "The pictures show the two boxes with their coarsest meshes. There is no water inside the "
        "cells, so that no mesh is needed there.",
        "figure 1",
    ),
    "khm19_fig2": Words(
        "Minus the logarithm of the signal is drawn against the period, one panel for each box. "
        f"{_GRAPH_OF_SIGNALS}",
        "figure 2",
    ),
    "khm19_fig3": Words(
        "The signal is drawn against b, one panel for each time between the pulses. "
        f"{_GRAPH_OF_SIGNALS}",
        "figure 3",
    ),
    "khm19_fig4": Words(
        "The pictures show boxes whose cells have a thin layer around them in the place of a "
        "membrane, with their coarsest meshes.",
        "figure 4",
    ),
    "khm19_fig5": Words(
        "The signal of the boxes with layers is drawn against b, one panel for each box and time "
        f"between the pulses. {_GRAPH_OF_SIGNALS}",
        "figure 5",
    ),
    "khm19_domain": Words(
        "Two limits of b are drawn against the period, one panel for each time between the pulses: "
        "up to the first the exponent K of the second-order model is above zero, which is the "
        "paper's domain of validity; up to the second no state of the model grows.",
        "a claim in section 4",
    ),
    # ---- Moutal, Moutal and Grebenkov 2020 ----
    "mmg20_fig1": Words(
        "The picture shows a medium that is periodic along x and bounded across.", "figure 1"
    ),
    "mmg20_fig2": Words(
        "The wave number q(t) of two gradient pulses is drawn against time, with the step "
        "functions that stand for it by the rules floor, ceiling, rounding and midpoint, and with "
        "the narrow pulses at their steps.",
        "figure 2",
    ),
    "mmg20_fig3": Words(
        "The pictures show three unit cells of one square lattice, for a gradient along its "
        "diagonal.",
        "figure 3",
    ),
    "mmg20_fig4": Words(
        "The magnetisation at the echo is drawn over the cell and its neighbours, for a gradient "
        f"along x. {_FOUR_PARTS}",
        "figure 4",
    ),
    "mmg20_fig5": Words(
        "The magnetisation at the echo is drawn over the cell and its neighbours, for a gradient "
        f"along the diagonal. {_FOUR_PARTS}",
        "figure 5",
    ),
    "mmg20_fig6": Words(
        "The signal is drawn against the strength of the gradient, as (l_delta/l_g)^6, for several "
        "lengths of the pulses and two directions. Lines are the laws of free diffusion, of "
        "motional narrowing (34) and of localisation (35).",
        "figure 6",
    ),
    "mmg20_fig7": Words(
        "Surfaces of equal real part of the magnetisation are drawn in a cubic lattice of "
        "impermeable spheres: in one cell, and with a part of each neighbour. Beside them stand "
        "the signals by the rules of sampling.",
        "figure 7",
    ),
    "mmg20_fig8": Words(
        "The real and imaginary parts of the lowest eigenvalues of the Bloch-Torrey operator are "
        "drawn against the gradient, as (a/l_g)^3. Bands at zero gradient, their means (58) and "
        "the numerical floor (48) are drawn with them; branches meet where two eigenvalues become "
        "one.",
        "figure 8",
    ),
    "mmg20_fig9": Words(
        "The eigenvalues of the Bloch-Torrey operator are drawn over a wider range of gradients, "
        "with further branching points.",
        "figure 9",
    ),
    "mmg20_fig10": Words(
        "The first eigenmodes of the Bloch-Torrey operator are drawn over the cell, at a gradient "
        "below a branching point and at one above it.",
        "figure 10",
    ),
    "mmg20_fig11": Words(
        "The first two bands of the Laplacian are drawn against the wave number along x, for free "
        "water and for the lattice of obstacles. The arrows show how a gradient walks along them.",
        "figure 11",
    ),
    "mmg20_sampling_error": Words(
        "The error of the signal by P narrow pulses is drawn against P, for the rules floor, "
        "ceiling, rounding and midpoint, beside the law (28).",
        "a claim in section 2.5",
    ),
    "mmg20_figA1": Words(
        "The magnetisation after two narrow pulses along x is drawn over the cell and its "
        "neighbours, for several times between the pulses.",
        "figure A1",
    ),
    "mmg20_figA2": Words(
        "The magnetisation after two narrow pulses along the diagonal is drawn over the cell and "
        "its neighbours, for several times between the pulses.",
        "figure A2",
    ),
    "mmg20_figA3": Words(
        "The signal of two narrow pulses is drawn against their wave number, with the law of free "
        "spreading (A.2) and the Debye-Porod law (A.4).",
        "figure A3",
    ),
    # ---- of the project ----
    "projected_vs_order": Words(
        "The error of truncated series (R0, R2 and so on) and of projected models (P0, P1 and so "
        "on) is drawn against the period, against the permeability and against b. An error dips "
        "where it changes its sign."
    ),
    "validity_map": Words(
        "The error of each model is drawn as a colour over diffusion (how far water spreads, "
        "compared with the period) and exchange (how often it crosses a membrane), both as numbers "
        "without dimension. Hatched fields are unstable. Contours are lines of equal error."
    ),
    "layer_limit": Words(
        "The difference between signals with a thin layer and with a membrane is drawn against the "
        "thickness of the layer, whose diffusivity falls with its thickness so that the "
        "permeability stays the same. The layer becomes the membrane as it thins."
    ),
    "dispersion": Words(
        "The diffusivity and the kurtosis at b = 0 are drawn against time, and the diffusivity "
        "against frequency, for cells with exchange and without."
    ),
    "exchange_bias": Words(
        "Each panel compares the exchange times that one model finds in signals of cells with the "
        "exact exchange times of these cells. On the diagonal a model would be right."
    ),
    "inversion_bias": Words(
        "The permeability that several models find in reference signals is drawn, divided by the "
        "true one, one panel for each set of fitted parameters. At one a model would be right. "
        "Where the radius is fitted too, a second panel shows its error."
    ),
    "inversion_noise": Words(
        "Bias and spread of fitted exchange parameters are drawn against the signal-to-noise "
        "ratio, one panel for each parameter."
    ),
    "fit_estimates": Words(
        "The estimates of each parameter are drawn by voxel, with their intervals or standard "
        "errors."
    ),
    "fit_maps": Words(
        "Each fitted parameter is drawn as a map in some slices of the volume, and the error of "
        "the estimate in the middle one."
    ),
}
"""Words of the figures in `torrey.figures.catalogue`."""

KINDS: Final[dict[str, Words]] = {
    "signals": Words(
        "Lines are the signals of the models, and marks are the Bloch-Torrey reference; each has "
        "its numerical error where that is larger than the mark. Hollow marks mean nothing, since "
        "the model is unstable there."
    ),
    "errors": Words(
        "The absolute difference between each model and the Bloch-Torrey reference is drawn in "
        "logarithms, above the numerical error of that difference."
    ),
    "magnetisation": Words(
        "Each panel shows the magnetisation in one cell at one time of the measurement, all in the "
        "same colours; lines are membranes and borders of regions. The gradient is drawn against "
        "time below, where letters mark the times of the panels."
    ),
    "geometry": Words("Each row shows one cell: its regions, its mesh, or its neighbours."),
}
"""Words of figures of one's own, by their kind; what stands where is added to them."""
