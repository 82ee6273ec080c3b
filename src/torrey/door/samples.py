"""Waveforms that are read from files of samples, and the time at which a signal is read."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, either
from torrey.door.quantities import argument, arguments, quantities, quantity
from torrey.gradients import acquisition
from torrey.gradients.acquisition.rasters import BETWEEN, FIRST, Between, First
from torrey.gradients.waveforms import AtEcho, Waveform

if TYPE_CHECKING:
    from torrey.door.quantities import Quantity


def read_waveform(
    path: str | PathLike[str],
    *,
    columns: Sequence[str] = (),
    dt: Quantity | None = None,
    first: First | None = None,
    between: Between = "linear",
    refocus: Quantity | Sequence[Quantity] | None = None,
    echo_time: Quantity | None = None,
) -> Waveform:
    """Read a waveform that is given by samples, of the gradient or of the wave vector.

    Parameters
    ----------
    path : path
        A text file of columns with units, such as ``time (ms), gx (mT/m), gy (mT/m)``; see
        docs/configuration.md. The strength plays no part: b, q or the gradient are given with the
        signal that is asked for.
    columns : sequence of str, optional
        Names of the columns of a file without them, such as ``["t (ms)", "gx", "gy"]``.
    dt : quantity, optional
        Step of the raster of a file without a column of times.
    first : {"zero", "half"}, optional
        Where the first sample stands: at 0, or in the middle of the first step of `dt`.
    between : {"linear", "hold"}
        Straight lines between samples, or values that stay until the next.
    refocus : quantity or sequence of quantities, optional
        Instants of 180 degree pulses, from which on the sign is turned.
    echo_time : quantity, optional
        See `Pgse`.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If the file cannot be read, or is no waveform that ends at q = 0; the message names the
        line.

    Examples
    --------
    >>> import torrey as tr
    >>> waveform = tr.read_waveform("spiral.csv")  # doctest: +SKIP
    """
    call = "read_waveform"
    for name, choice, choices in (("first", first, FIRST), ("between", between, BETWEEN)):
        if choice not in (None, *choices):
            raise InputError(quoted(str(choice)), either(choices), at=(f"{call}({name}=...)",))
    with argument(call, "dt"):
        step = quantity(dt, "time", "positive") if dt is not None else 0.0
    with argument(call, "refocus"):
        pulses = quantities(refocus, "time", "positive") if refocus is not None else ()
    options = acquisition.SampleOptions(tuple(columns), step, first, between, pulses)
    with argument(call, "path"):
        sampled = acquisition.read_waveform(Path(path), options).waveform()
    return at_echo("read_waveform", sampled, echo_time)


def at_echo(call: str, waveform: Waveform, echo_time: Quantity | None) -> Waveform:
    """The waveform with its echo at a time, or as it is without one."""
    if echo_time is None:
        return waveform
    with argument(call, "echo_time"):
        time = quantity(echo_time, "time")
    with arguments(call):
        return AtEcho(waveform, time)
