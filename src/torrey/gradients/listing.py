"""Measurements of a protocol one by one, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from torrey.base.keys import format_number
from torrey.gradients.axes import axis_labels, orientation_labels
from torrey.gradients.protocol import Measurement
from torrey.gradients.sweep import Acquisition, Product

#: b-values of scanners, s/mm^2, of one ms/um^2.
_S_PER_MM2: Final = 1000.0
#: Digits of numbers in words.
_DIGITS: Final = 6


@dataclass(frozen=True)
class Listing:
    """The measurements of a protocol, all orientations of the cell one after the other.

    Parameters
    ----------
    protocol : Product or Acquisition
    """

    protocol: Product | Acquisition

    @cached_property
    def in_scanner(self) -> tuple[Measurement, ...]:
        """Each in the frame of the scanner."""
        once = replace(self.protocol, fibres=None).measurements
        return once * len(self._orientations)

    @cached_property
    def orientations(self) -> tuple[str, ...]:
        """Label of the orientation of the cell of each, empty where there is none."""
        count = len(self.in_scanner) // len(self._orientations)
        return tuple(label for label in self._orientations for _ in range(count))

    @property
    def _orientations(self) -> Sequence[str]:
        fibres = self.protocol.fibres
        return orientation_labels(fibres.orientations) if fibres else ("",)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the times, angles and numbers of the waveforms."""
        waveforms = dict.fromkeys(m.waveform for m in self.in_scanner)
        return tuple(dict.fromkeys(name for w in waveforms for name in w.parameters))

    def words(self, number: int) -> str:
        """Say what one of them is."""
        one = self.in_scanner[number]
        parts = [one.waveform.kind]
        for name, value in one.waveform.parameters.items():
            units, _ = axis_labels(name)
            parts.append(f"{name} = {_shown(value)}{'' if units in ('', '1') else f' {units}'}")
        parts.append(f"b = {_shown(_S_PER_MM2 * one.b)} s/mm^2")
        if one.b:
            parts.append(f"along ({', '.join(_shown(x) for x in one.direction)})")
        if self.orientations[number]:
            parts.append(f"fibre along {self.orientations[number]}")
        return ", ".join(parts)

    def row(self, number: int) -> dict[str, str]:
        """The same by the columns of a table, all digits."""
        one, columns = self.in_scanner[number], {}
        for name in self.parameters:
            units, _ = axis_labels(name)
            header = name if units in ("", "1") else f"{name} ({units})"
            value = one.waveform.parameters.get(name)
            columns[header] = "" if value is None else repr(float(value))
        columns["b (s/mm^2)"] = repr(_S_PER_MM2 * one.b)
        columns["q (rad/um)"] = repr(float(one.q))
        columns["echo time (ms)"] = repr(one.waveform.echo_time)
        for axis, x in zip("xyz", one.direction, strict=False):
            columns[f"direction {axis}"] = repr(float(x))
        if any(self.orientations):
            columns["orientation"] = self.orientations[number]
        return columns


def _shown(value: float) -> str:
    return format_number(float(f"{value:.{_DIGITS}g}"))
