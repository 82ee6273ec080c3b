"""Search for four discs with the published properties of the cell in CHL14 figure 4.2.

The paper draws that cell and prints neither centres nor radii, but tables 5.5 and the model hold
what matters to the signal: fraction inside 0.51, and eta_e = kappa |Gamma| / |Y_e| and eta_c =
kappa |Gamma| / |Y_c| of 4.8e-4 and 4.6e-4 /us at L = 1 um and kappa = 5e-5 m/s, so that
|Gamma|/L = 4.70; and the homogenised diffusivity outside, (1.9e-3, 1.75e-3) mm^2/s with
7.78e-6 mm^2/s off the diagonal.

``python tools/search_four_discs.py [SEED]`` prints the cells it finds, each better than the one
before; the last one is ``four_discs_chl`` of ``config/default.yaml``. Radii with the two sums are
drawn first, then places; the best cell is then shaken with shrinking steps.
"""

import math
import sys

import numpy as np

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.models.tensors import papers_tensors

FRACTION, PERIMETER = 0.51, 4.70
TARGET = np.array([[1.9, 7.78e-3], [7.78e-3, 1.75]])
D_E = 3.0
GAP = 0.024
"""Least distance between two discs; half of it from the sides, which keeps images apart."""
SMALLEST = 0.09
DIGITS = 3
DRAWS, SHAKES = 80, 240


def draw_radii(random: np.random.Generator) -> np.ndarray:
    """Four radii with the two sums, the largest first."""
    mean = PERIMETER / (8.0 * math.pi)
    spread = math.sqrt(FRACTION / math.pi - 4.0 * mean**2)
    while True:
        u = random.normal(size=4)
        u -= u.mean()
        radii = mean + spread * u / np.linalg.norm(u)
        if radii.min() >= SMALLEST:
            return np.sort(radii.round(DIGITS))[::-1]


def draw_places(random: np.random.Generator, radii: np.ndarray) -> np.ndarray | None:
    """Four centres, or None where the discs found no room."""
    places: list[np.ndarray] = []
    for i, radius in enumerate(radii):
        for _ in range(400):
            margin = radius + GAP / 2.0
            place = random.uniform(margin, 1.0 - margin, 2).round(DIGITS)
            if all(
                np.linalg.norm(place - other) >= radius + radii[j] + GAP
                for j, other in enumerate(places)
            ):
                places.append(place)
                break
        if len(places) == i:
            return None
    return np.array(places)


def is_allowed(radii: np.ndarray, places: np.ndarray) -> bool:
    """Whether the discs keep their distances."""
    margin = (radii + GAP / 2.0)[:, None]
    if np.any(places < margin) or np.any(places > 1.0 - margin):
        return False
    apart = np.linalg.norm(places[:, None] - places, axis=-1) - radii[:, None] - radii
    return bool(np.all(apart[np.triu_indices(len(radii), 1)] >= GAP))


def diffusivity(radii: np.ndarray, places: np.ndarray, refinements: int = 0) -> np.ndarray:
    """Homogenised diffusivity of the water outside, a mean over it (um^2/ms)."""
    discs = tuple(
        Disc((float(x), float(y)), float(r)) for (x, y), r in zip(places, radii, strict=True)
    )
    meshes = levels(Discs(discs, "obstacle"), MeshOptions(0.1, refinements), Material((D_E,)))
    return papers_tensors(meshes[-1]()).D[0]


def misfit(radii: np.ndarray, places: np.ndarray) -> float:
    return float(np.linalg.norm(diffusivity(radii, places) - TARGET))


def search(seed: int) -> None:
    random = np.random.default_rng(seed)
    best, radii, places = math.inf, np.empty(0), np.empty(0)
    for _ in range(DRAWS):
        new_radii = draw_radii(random)
        new_places = draw_places(random, new_radii)
        if new_places is not None and (size := misfit(new_radii, new_places)) < best:
            best, radii, places = size, new_radii, new_places
            report(best, radii, places)
    for i in range(SHAKES):
        step = 0.08 * (0.02 ** (i / SHAKES))
        moved = (places + random.normal(scale=step, size=places.shape)).round(DIGITS)
        if is_allowed(radii, moved) and (size := misfit(radii, moved)) < best:
            best, places = size, moved
            report(best, radii, places)
    print("on two finer meshes:", diffusivity(radii, places, 2).round(5).tolist())


def report(size: float, radii: np.ndarray, places: np.ndarray) -> None:
    fraction, perimeter = math.pi * np.sum(radii**2), 2.0 * math.pi * np.sum(radii)
    cells = [f"({x:g}, {y:g}) r {r:g}" for (x, y), r in zip(places, radii, strict=True)]
    print(f"misfit {size:.4f}; fraction {fraction:.4f}, |Gamma|/L {perimeter:.3f};", *cells)


if __name__ == "__main__":
    search(int(sys.argv[1]) if len(sys.argv) > 1 else 2014)
