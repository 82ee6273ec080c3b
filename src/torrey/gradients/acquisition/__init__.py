"""Files that say how signals were acquired: tables of b-values, schemes, sequences and waveforms.

What a file leaves open is refused, not guessed. The classes check what holds for their values
wherever these come from; the readers convert to internal units and add the file and the line.
"""

from typing import Final

from torrey.gradients.acquisition.bids import BIDS
from torrey.gradients.acquisition.dvs import DVS
from torrey.gradients.acquisition.fsl import B_TENSORS, FSL, GradientTable, read_fsl
from torrey.gradients.acquisition.mrtrix import MRTRIX
from torrey.gradients.acquisition.named_columns import COLUMNS
from torrey.gradients.acquisition.pulseq import PULSEQ
from torrey.gradients.acquisition.reader import (
    AcquisitionReader,
    Reader,
    Row,
    Scan,
    ScanOption,
    WaveformInFile,
    WaveformReader,
)
from torrey.gradients.acquisition.samples import SAMPLES, SampledGradient, read_waveform
from torrey.gradients.acquisition.scheme import SCHEME, SchemeRow, read_scheme, scheme_summary

#: All readers of files that a configuration may name, by their names.
READERS: Final[dict[str, Reader]] = {
    reader.name: reader
    for reader in (FSL, BIDS, B_TENSORS, MRTRIX, SCHEME, COLUMNS, DVS, PULSEQ, SAMPLES)
}


def acquisition_readers() -> tuple[AcquisitionReader, ...]:
    """Return the readers of scans, in the order of their registration."""
    return tuple(r for r in READERS.values() if isinstance(r, AcquisitionReader))


def acquisition_options() -> dict[str, ScanOption]:
    """Return what may be said of files of scans, by name; readers share some of it."""
    readers = acquisition_readers()
    return {option.name: option for reader in readers for option in reader.options}


def waveform_readers() -> tuple[WaveformReader, ...]:
    """Return the readers of waveforms, in the order of their registration."""
    return tuple(r for r in READERS.values() if isinstance(r, WaveformReader))


__all__ = [
    "READERS",
    "AcquisitionReader",
    "GradientTable",
    "ScanOption",
    "Reader",
    "Row",
    "SampledGradient",
    "Scan",
    "SchemeRow",
    "WaveformInFile",
    "WaveformReader",
    "acquisition_options",
    "acquisition_readers",
    "read_fsl",
    "read_scheme",
    "read_waveform",
    "scheme_summary",
    "waveform_readers",
]
