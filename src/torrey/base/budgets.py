"""How much an input may ask for: limits that are checked before any work starts.

Each limit has its name and its reason here. Limits that belong to one kind of value stand with it:
`torrey.base.units.UNITS` (ranges of quantities), `MOST_CYCLES` of oscillating gradients,
`torrey.geometry.layers.LEAST_THICKNESS`. No solver imports this module, so that nothing is computed
again when a limit moves.
"""

from __future__ import annotations

import re
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

from torrey.base.errors import InputError

MOST_CONFIGURATION_BYTES: Final = 256 * 1024
"""Of one configuration file: YAML is read at 150 kB a second."""

MOST_NODES: Final = 100_000
"""Values in a configuration, each counted as often as an alias repeats it."""

MOST_LEVELS: Final = 20
"""Lists and mappings within each other; no key of the configuration lies deeper than ten."""

MOST_CHARACTERS: Final = 1_000
"""Of one value in a configuration: a path is the longest that makes sense."""

MOST_NAME_CHARACTERS: Final = 100
"""Of a name: file systems hold 255, and files add their kind, a number and an ending to it."""

MOST_REPEATS: Final = 19
"""Of a part at the end of a name: Snakemake takes 20 for a rule that would call itself for ever."""

MOST_QUANTITY_CHARACTERS: Final = 100
"""Of a quantity with its unit: digits beyond the 17th change nothing."""

MOST_VALUES: Final = 10_000
"""On one axis of a sweep."""

MOST_POINTS: Final = 100_000
"""Of all studies together: each is listed with its values."""

MOST_FULL_POINTS: Final = 20_000
"""That are solved in full, of all studies together: each is a job and a file of its own."""

MOST_DICTIONARY_SIGNALS: Final = 10_000_000
"""Of all dictionaries together: hours of one core by projected references, and 300 MB of files."""

MOST_MATERIALS: Final = 1_000
"""Of a dictionary whose diffusivities are swept: each has a basis, which is a job and a file."""

MOST_PHASE: Final = 1_000.0
"""Largest max |g| L (rad) of a study: 80 mT/m for 100 ms on 0.4 mm. Work grows in proportion to it,
and nothing is left of the signal beyond."""

MOST_RESOLVED: Final = 20_000
"""Lengths of a resolution that fill a cell: about 1,600 modes in the plane, which are dense."""

MOST_FITS: Final = 1_000_000
"""Starts of an inversion, times models, times repeats with noise."""

MOST_COMPARISONS: Final = 1_000_000_000
"""Of choices of measurements, of all designs together: they take about 20 minutes."""

MOST_DIFFUSION: Final = 1e4
"""Largest D t / L^2 of a study: water then crosses a cell so often that rounding, which grows with
it, reaches 2e-9 of a signal in discs, 1e-6 in the thinnest layers. At 1e8 it reaches 1e-2."""

MOST_ATTENUATION: Final = 600.0
"""Largest b D of a study: exp(-700) is the least number of a computer."""

MOST_EXCHANGE: Final = 1e6
"""Largest kappa L / D of a study: the condition of the jumps at membranes beside diffusion."""

MOST_EXCHANGES: Final = 1e8
"""Largest kappa^2 t / D of a study: rates of R2 times the time, whose rounding reaches 1e-8."""

MOST_RELAXATION: Final = 500.0
"""Times the longest T2 that an echo may come after: see above."""

MOST_SEGMENTS: Final = 20_000
"""Of all waveforms of a configuration together: each costs a tenth of a millisecond to check."""

MOST_ELEMENTS: Final = 1_000_000
"""On the finest mesh of a cell: they take a minute and more to make, and factors of several GB."""

ELEMENTS_PER_VOLUME: Final = {1: 1.0, 2: 2.3, 3: 8.3}
"""In a unit length, area or volume, of elements of size 1, as gmsh makes them."""

ELEMENTS_PER_DISC: Final = 220
"""On the coarsest mesh of a random packing, for one disc and the water around it: 16 elements or
more on its circle, and smaller ones in the gaps."""

ELEMENTS_PER_SPHERE: Final = 2500
"""The same for one sphere: 12 elements or more on its great circles, and as many in its gaps."""

ELEMENTS_PER_CURVED: Final = {1: 0, 2: ELEMENTS_PER_DISC, 3: 700}
"""On the coarsest mesh, at a curved membrane, beside those that fill the cell."""

MOST_CELLS: Final = 1_000
"""Discs, spheres or layers in one cell: all pairs are compared, and all must be meshed."""

MOST_DISCS: Final = 50_000
"""Of a random packing: they are placed in seconds, but each is a compartment."""

MOST_VOXEL_SIGNALS: Final = 1_000
"""Of all voxels together, by both domains: each takes seconds to minutes."""

MOST_ORDER: Final = 20
"""Of R and P with gradients along one direction: R20 takes 6 s on 2,000 unknowns, R24 20 s."""

MOST_ORDER_OF_SEVERAL: Final = 8
"""Of R and P with gradients of several components: there P8 takes 10 s, and P10 142 s."""

MOST_FILE_BYTES: Final = 2 * 1024 * 1024
"""Of a file of an acquisition or a waveform."""

MOST_MESH_BYTES: Final = 512 * 1024 * 1024
"""Of a file with a mesh or a surface: a million quadratic tetrahedra as text have 150 MiB."""

MOST_MEASUREMENTS: Final = 20_000
"""Rows of an acquisition; scanners measure hundreds."""

MOST_SAMPLES: Final = 10_000
"""Of a waveform in a file: each interval is integrated by itself."""

MOST_PROBLEMS_SHOWN: Final = 100
"""In one message."""

MOST_CHARACTERS_SHOWN: Final = 60
"""Of a text that is quoted in a message."""

MOST_ITEMS_SHOWN: Final = 60
"""Of a list of names in a message."""

MOST_CANDIDATES: Final = 100
"""Names with which an unknown one is compared to find the nearest."""

MOST_ENTRIES: Final = 1_000
"""In one section of a configuration."""

_PERIODIC = re.compile(rf"(.+?)\1{{{MOST_REPEATS},}}$", re.DOTALL)


def repeated_end(name: str) -> str:
    """Return the part that stands too often at the end of a name; empty if there is none.

    >>> repeated_end("cell" + 20 * "ab"), repeated_end("cell" + 19 * "ab")
    ('ab', '')
    """
    match = _PERIODIC.search(name)
    return match[1] if match else ""


def printable(text: str) -> str:
    """Replace what a terminal or a file of messages cannot show, line ends among it.

    >>> printable("a\\0b")
    'a\\\\x00b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str) -> str:
    """Text cut where no reader would go on."""
    most = 8 * MOST_CHARACTERS_SHOWN
    return text if len(text) <= most else f"{text[:most]}..."


def quoted(text: str) -> str:
    """Text in quotation marks, cut short."""
    shown = text[:MOST_CHARACTERS_SHOWN]
    return f'"{printable(shown)}{"..." if len(text) > len(shown) else ""}"'


def read_bytes(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file of a reasonable size.

    Parameters
    ----------
    path : Path
    most : int
        Bytes that the file may have.

    Raises
    ------
    InputError
        If there is no such file, it is a folder, a device or a pipe, or it is too large; the
        message does not name the file.
    """
    accepted = f"a file that can be read, of at most {most // 1024} KiB"
    found, content = "a device, a pipe or a socket", b""
    try:
        mode = path.stat().st_mode
        if S_ISREG(mode) or S_ISDIR(mode):
            with path.open("rb") as file:
                # What a file says of its size need not be true: those of /proc say 0.
                content = file.read(most + 1)
            found = f"more than {most // 1024} KiB" if len(content) > most else ""
    except OSError as error:
        found = str(error.strerror)
    except ValueError:  # a null byte, or a character that no name of a file has
        found = "a text that no file can have for a name"
    if found:
        raise InputError(found, accepted)
    return content
