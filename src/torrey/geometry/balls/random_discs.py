"""Random discs or spheres that do not overlap in a periodic box, the same on every machine.

Sparse ones are placed one after the other, the largest first (random sequential addition). Where
that finds no place, all balls start anywhere and push each other apart until none overlaps.

Only what IEEE 754 rounds exactly decides where a ball comes to lie: sums, products, quotients and
square roots, sums of many numbers in a fixed order, and the raw numbers of PCG64, whose stream
numpy promises to keep. So the same seed gives the same balls wherever it is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError

Array = NDArray[np.float64]
Method = Literal["addition", "relaxation"]

MOST_FRACTION: Final = {2: 0.75, 3: 0.6}
"""Largest part of the box that balls with half of their gap around each may fill, by dimension.
Denser ones jam, discs at about 0.84 and spheres at 0.64, and what is left of the room orders them.
"""

ONE: Final = {2: "disc", 3: "sphere"}
"""What a ball is called, by dimension."""

#: What lies between places after rounding, in units of the box.
_GRAIN = 1e-9
#: Places that are tried for one ball before all of them are pushed apart instead.
_TRIALS = 300
#: Rounds of pushing, and the part of an overlap that a ball gives way in each.
_ROUNDS = 20_000
_PUSH = 0.4
#: Balls are pushed a little further apart than they must be, in parts of their mean radius: what is
#: only approached would never be reached. What is left of that at the last attempt.
_SPARE = (0.02, 0.004)
#: Pairs up to this far apart, in mean radii, are listed until balls have moved by half of it.
_SKIN = 0.5


@dataclass(frozen=True)
class Placement:
    """Discs in a periodic square, or spheres in a cube, in units of its side.

    Attributes
    ----------
    centres : (n, d) float
        In [0, 1[.
    radii : (n,) float
    method : {"addition", "relaxation"}
        One after the other, or all pushed apart.
    """

    centres: Array
    radii: Array
    method: Method

    @property
    def fraction(self) -> float:
        """Part of the box inside discs or spheres."""
        return ball_fraction(self.radii, self.centres.shape[1])


def unit_ball(dimension: int) -> float:
    """Area of a disc, or volume of a sphere, of radius 1."""
    return math.pi if dimension == 2 else 4 * math.pi / 3


def powers(radii: Array, dimension: int) -> Array:
    """Squares of radii in the plane, cubes in space, rounded alike everywhere."""
    return radii * radii if dimension == 2 else radii * radii * radii


def ball_fraction(radii: Array, dimension: int) -> float:
    """Part of a square or cube of side 1 inside discs or spheres."""
    return unit_ball(dimension) * math.fsum(powers(radii, dimension).tolist())


def place_discs(radii: Array, seed: int, gap: float = 0.0, dimension: int = 2) -> Placement:
    """Place discs or spheres at random in a periodic box so that none overlaps another or itself.

    Parameters
    ----------
    radii : (n,) float
        In units of the side of the box; the result has the same order.
    seed : int
        At least 0.
    gap : float
        Least distance of two surfaces, in units of the side.
    dimension : {2, 3}
        Discs in a square, or spheres in a cube.

    Raises
    ------
    InputError
        If a ball is too large for the box, balls with their gaps fill more than `MOST_FRACTION`,
        no room is found for all of them, or what was found does not keep the gap.
    """
    radii = np.asarray(radii, dtype=float)
    if not len(radii):
        return Placement(np.empty((0, dimension)), radii, "addition")
    # Rounding may bring two centres nearer by three grains.
    kept_apart = gap + 4 * _GRAIN
    wide = radii + kept_apart / 2
    check_room(radii, gap, dimension)
    stream = _stream(seed, "places")
    found = _add(wide, stream, dimension)
    method: Method = "addition"
    if found is None:
        found, method = _relax(radii, wide, gap, stream, dimension), "relaxation"
    centres = np.rint(found / _GRAIN) * _GRAIN % 1.0
    _check_apart(centres, radii, gap)
    return Placement(centres, radii, method)


def _check_apart(centres: Array, radii: Array, gap: float) -> None:
    """Refuse balls that overlap, or are nearer to each other than they were to be."""
    first, second, width = narrowest_place(centres, radii)
    if not width >= gap - _GRAIN:
        raise InputError(
            f"{_filling(radii, centres.shape[1])}, of which number "
            f"{first + 1} and {second + 1} were placed {width:.4g} of the box apart, not {gap:.4g}",
            f"another seed, a smaller fraction or fewer {ONE[centres.shape[1]]}s, or a smaller gap",
        )


def _filling(radii: Array, dimension: int) -> str:
    """Say how many balls there are, and how much of the box they fill."""
    fraction = ball_fraction(radii, dimension)
    return f"{len(radii)} {ONE[dimension]}s that fill {fraction:.4g} of the box"


def touching_pairs(
    centres: Array, radii: Array, reach: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return all pairs of balls whose surfaces are nearer to each other than a length.

    Parameters
    ----------
    centres : (n, d) float
        In [0, 1[, in units of the period.
    radii : (n,) float
        In the same units; none of them wider than the period.
    reach : float

    Returns
    -------
    first, second : (n_pairs,) int
        The first is the smaller number; in increasing order.
    width : (n_pairs,) float
        Distance of the surfaces of the nearest images; negative where they overlap.
    """
    # Loaded where balls are compared: to read a configuration needs none of it.
    from scipy.spatial import cKDTree

    longest = 2 * float(radii.max(initial=0.0)) + reach
    # A margin: what the tree takes for near may depend on the machine, what is kept does not.
    tree = cKDTree(centres % 1.0, boxsize=1.0)
    pairs = tree.query_pairs(longest * (1 + 1e-9) + 1e-12, output_type="ndarray")
    first, second = pairs.min(axis=1, initial=len(centres)), pairs.max(axis=1, initial=-1)
    width = _distance(centres[first], centres[second]) - radii[first] - radii[second]
    near = width < reach
    first, second, width = first[near], second[near], width[near]
    order = np.lexsort((second, first))
    return first[order], second[order], width[order]


def narrowest_place(centres: Array, radii: Array) -> tuple[int, int, float]:
    """Return the two balls whose surfaces are nearest to each other, and how near they are.

    Parameters
    ----------
    centres : (n, d) float
        In [0, 1[, in units of the period.
    radii : (n,) float
        Of one ball at least. It may be nearest to its own image: it is both of them then.
    """
    largest = int(radii.argmax())
    found = largest, largest, 1.0 - 2 * float(radii[largest])
    reach = float(radii.min()) / 8
    while reach < found[2]:
        first, second, width = touching_pairs(centres, radii, reach)
        if len(width):
            i = int(width.argmin())
            return min(found, (int(first[i]), int(second[i]), float(width[i])), key=_width)
        reach *= 2
    return found


def _width(place: tuple[int, int, float]) -> float:
    return place[2]


def inner_voxel(
    centres: Array, radii: Array, box: float, side: float, gap: float = 0.0
) -> tuple[Array, Array, int]:
    """Return the discs of a box in its central square, as a periodic packing of that square.

    A disc belongs to the square if its centre does; what reaches beyond a face comes in again at
    the opposite one. Where it meets another disc there, the smaller of the two is dropped; where it
    meets itself, the disc is.

    Parameters
    ----------
    centres : (n, 2) float
        In units of the box.
    radii : (n,) float
        In units of the box.
    box, side : float
        Sides of the box and of the square, in one unit.
    gap : float
        Least distance of two circles, in units of the box.

    Returns
    -------
    centres : (m, 2) float
        In [0, 1[, in units of the square.
    radii : (m,) float
        In units of the square.
    dropped : int
        How many discs were left out.

    Raises
    ------
    InputError
        If the square is larger than the box.
    """
    if not 0 < side <= box:
        raise InputError(f"{side:g}", f"a side above 0 and at most {box:g}", at=("side",))
    scale = box / side
    places = (centres - 0.5) * scale + 0.5
    inside = np.all((places >= 0.0) & (places < 1.0), axis=1)
    own, apart = radii * scale, gap * scale
    # Who meets himself is dropped before he drops others.
    fits = inside & (2 * own + apart <= 1.0)
    places, own = places[fits], own[fits]
    first, second, _ = touching_pairs(places, own, apart)
    dropped: set[int] = set()
    # From the largest discs on: who is dropped no longer stands in the way of others.
    larger = np.where(own[first] >= own[second], first, second)
    smaller = first + second - larger
    for i in np.lexsort((smaller, larger, -own[larger])).tolist():
        if int(larger[i]) not in dropped:
            dropped.add(int(smaller[i]))
    kept = np.array([i not in dropped for i in range(len(own))], bool)
    return places[kept], own[kept], int(inside.sum() - kept.sum())


def check_room(radii: Array, gap: float, dimension: int = 2) -> None:
    """Refuse balls that cannot find room, before anybody looks for it.

    Parameters
    ----------
    radii : (n,) float
        In units of the box.
    gap : float
        Least distance of two surfaces, in units of the box.
    dimension : {2, 3}

    Raises
    ------
    InputError
        If a ball is too large, or all of them fill too much of the box.
    """
    largest, balls = float(radii.max(initial=0.0)), f"{ONE[dimension]}s"
    if not 2 * largest + gap <= 0.5:
        raise InputError(
            f"a radius of {largest:.4g} of the box",
            f"radii of at most {0.25 - gap / 2:.4g} of the box: a larger box or smaller {balls}",
            at=("radius",),
        )
    filled = ball_fraction(radii + gap / 2, dimension)
    if filled > MOST_FRACTION[dimension]:
        raise InputError(
            f"{_filling(radii, dimension)}, and "
            f"{filled:.4g} of it with half of the gap around each",
            f"at most {MOST_FRACTION[dimension]:g} with the gaps: fewer or smaller {balls}, or a "
            "smaller gap",
        )


def _stream(seed: int, purpose: Literal["radii", "places"]) -> np.random.PCG64:
    """Random numbers for one purpose: those for another one do not change them."""
    return np.random.PCG64(np.random.SeedSequence([seed, ("radii", "places").index(purpose)]))


def uniform_numbers(stream: np.random.PCG64, count: int) -> Array:
    """Return numbers in [0, 1[, made of the raw ones by exact arithmetic alone."""
    raw = np.asarray(stream.random_raw(count), dtype=np.uint64)
    return (raw >> np.uint64(11)).astype(float) * 2.0**-53


def radius_stream(seed: int) -> np.random.PCG64:
    """Return the stream that the radii of a seed are drawn from."""
    return _stream(seed, "radii")


def _distance(first: Array, second: Array) -> Array:
    """Distance of the nearest images."""
    apart = first - second
    apart -= np.rint(apart)
    return _lengths(apart)


def _lengths(vectors: Array) -> Array:
    """Length of each vector; squares are added one after the other."""
    square = vectors[:, 0] * vectors[:, 0]
    for axis in range(1, vectors.shape[1]):
        square = square + vectors[:, axis] * vectors[:, axis]
    return np.asarray(np.sqrt(square))


def _add(radii: Array, stream: np.random.PCG64, dimension: int) -> Array | None:
    """Random sequential addition, the largest first; None if a ball finds no place."""
    # Cells are as wide as two balls may reach: who is not in a neighbouring one is far enough.
    n = max(int(1 / max(2 * float(radii.max()), len(radii) ** (-1 / dimension))), 1)
    # Of fewer than three cells on each side, those before and behind are the same.
    steps = range(-1, 2) if n > 2 else range(n)
    around = list(product(steps, repeat=dimension))
    held: dict[tuple[int, ...], list[tuple[list[float], float]]] = {}
    centres = np.empty((len(radii), dimension))
    spare: list[float] = []
    for number in np.argsort(-radii, kind="stable").tolist():
        radius = float(radii[number])
        for _ in range(_TRIALS):
            if len(spare) < dimension:
                spare = uniform_numbers(stream, 8192).tolist()
            place = [spare.pop() for _ in range(dimension)]
            home = tuple(int(x * n) for x in place)
            near = (
                other
                for shift in around
                for other in held.get(
                    tuple((i + j) % n for i, j in zip(home, shift, strict=True)), ()
                )
            )
            if all(_are_apart(place, radius, *other) for other in near):
                centres[number] = place
                held.setdefault(home, []).append((place, radius))
                break
        else:
            return None
    return centres


def _are_apart(place: list[float], radius: float, there: list[float], other: float) -> bool:
    square = 0.0
    for x, u in zip(place, there, strict=True):
        apart = abs(x - u)
        apart = min(apart, 1 - apart)
        square += apart * apart
    least = radius + other
    return square >= least * least


def _relax(radii: Array, wide: Array, gap: float, stream: np.random.PCG64, dimension: int) -> Array:
    """Push balls apart that start anywhere, until none overlaps."""
    start = uniform_numbers(stream, dimension * len(radii)).reshape(-1, dimension)
    unit = math.fsum(radii.tolist()) / len(radii)
    reached = 0.0
    for spare in _SPARE:
        centres, worst = _push_apart(start, wide, spare * unit / 2, _SKIN * unit)
        if worst >= 0.0:
            return centres
        reached = max(reached, _reached(centres, radii, wide - radii))
    raise InputError(
        f"{_filling(radii, dimension)}, for which no places "
        f"with gaps of {gap:.3g} of the box were found: where they were pushed apart, smaller ones "
        f"fill {reached:.4g} of it",
        f"fewer or smaller {ONE[dimension]}s, a smaller gap, or another seed",
    )


def _push_apart(start: Array, radii: Array, spare: float, skin: float) -> tuple[Array, float]:
    """Centres after the pushing, and the least distance of two surfaces, spare room included."""
    n, centres = len(start), start.copy()
    anchor = centres.copy()
    wide = radii + spare
    first, second, _ = touching_pairs(centres, wide, skin)
    worst = -math.inf
    for _ in range(_ROUNDS):
        moved = centres - anchor
        if 4 * float((moved * moved).sum(axis=1).max()) > skin * skin:
            first, second, _ = touching_pairs(centres, wide, skin)
            anchor = centres.copy()
        apart = centres[first] - centres[second]
        apart -= np.rint(apart)
        distance = _lengths(apart)
        depth = wide[first] + wide[second] - distance
        worst = 2 * spare - float(depth.max(initial=0.0))
        if worst >= 0.0:
            break
        push = _PUSH * np.maximum(depth, 0.0) / np.maximum(distance, _GRAIN)
        for axis in range(start.shape[1]):
            force = push * apart[:, axis]
            # One after the other, in the order of the pairs.
            centres[:, axis] += np.bincount(first, force, n) - np.bincount(second, force, n)
    return centres % 1.0, worst


def _reached(centres: Array, radii: Array, coat: Array) -> float:
    """Fraction of balls in the same places that are shrunk until their gaps are kept."""
    first, second, width = touching_pairs(centres, radii + coat, 0.0)
    whole = radii[first] + radii[second]
    factor = float(np.min((whole + np.minimum(width, 0.0)) / whole, initial=1.0))
    dimension = centres.shape[1]
    return ball_fraction(radii, dimension) * max(factor, 0.0) ** dimension
