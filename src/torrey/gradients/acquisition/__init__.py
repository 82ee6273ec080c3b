"""Files that say how signals were acquired: FSL b-tables, Camino schemes and sampled waveforms.

What a file leaves open is refused, not guessed. The classes check what holds for their values
wherever these come from; the readers convert to internal units and add the file and the line.
"""

from torrey.gradients.acquisition.fsl import GradientTable, read_fsl
from torrey.gradients.acquisition.samples import SampledGradient, read_waveform
from torrey.gradients.acquisition.scheme import SchemeRow, read_scheme, scheme_summary

__all__ = [
    "GradientTable",
    "SampledGradient",
    "SchemeRow",
    "read_fsl",
    "read_scheme",
    "read_waveform",
    "scheme_summary",
]
