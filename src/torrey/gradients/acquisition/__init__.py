"""Files that say how signals were acquired: FSL b-tables, Camino schemes and sampled waveforms.

What a file leaves open is refused, not guessed. The classes check what holds for their values
wherever these come from; the readers convert to internal units and add the file and the line.
"""

from typing import Final

from torrey.gradients.acquisition.fsl import FSL, GradientTable, read_fsl
from torrey.gradients.acquisition.reader import (
    AcquisitionReader,
    Option,
    Reader,
    Row,
    Scan,
    WaveformInFile,
    WaveformReader,
)
from torrey.gradients.acquisition.samples import (
    SAMPLES,
    SampledGradient,
    SampleOptions,
    read_waveform,
)
from torrey.gradients.acquisition.scheme import SCHEME, SchemeRow, read_scheme, scheme_summary

#: All readers of files that a configuration may name, by their names.
READERS: Final[dict[str, Reader]] = {reader.name: reader for reader in (FSL, SCHEME, SAMPLES)}


def acquisition_readers() -> tuple[AcquisitionReader, ...]:
    """Return the readers of scans, in the order of their registration."""
    return tuple(r for r in READERS.values() if isinstance(r, AcquisitionReader))


def waveform_readers() -> tuple[WaveformReader, ...]:
    """Return the readers of waveforms, in the order of their registration."""
    return tuple(r for r in READERS.values() if isinstance(r, WaveformReader))


__all__ = [
    "READERS",
    "AcquisitionReader",
    "GradientTable",
    "Option",
    "Reader",
    "Row",
    "SampleOptions",
    "SampledGradient",
    "Scan",
    "SchemeRow",
    "WaveformInFile",
    "WaveformReader",
    "acquisition_readers",
    "read_fsl",
    "read_scheme",
    "read_waveform",
    "scheme_summary",
    "waveform_readers",
]
