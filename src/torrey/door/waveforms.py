"""Waveforms whose times are quantities with units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.fields import declarations
from torrey.door.quantities import argument, arguments, is_number, quantity
from torrey.door.samples import at_echo, read_waveform
from torrey.gradients import waveforms
from torrey.gradients.waveforms import Waveform

if TYPE_CHECKING:
    from torrey.base.units import Kind
    from torrey.door.quantities import Quantity

__all__ = [
    "BTensor",
    "CosineOgse",
    "DoublePgse",
    "FilterExchange",
    "Pgse",
    "SineOgse",
    "StimulatedEcho",
    "TrapezoidalOgse",
    "TrapezoidalPgse",
    "TriplePgse",
    "read_waveform",
]


def Pgse(delta: Quantity, Delta: Quantity, *, echo_time: Quantity | None = None) -> Waveform:
    """Pulsed-gradient spin echo with rectangular pulses: b = q^2 (Delta - delta/3).

    Parameters
    ----------
    delta : quantity
        Duration of each pulse; plain numbers are in ms, here and below.
    Delta : quantity
        Time from the beginning of one pulse to the beginning of the other.
    echo_time : quantity, optional
        Time at which the signal is read, with the gradients in its middle. Without it, the signal
        is read at the end of the gradients.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.Pgse("5 ms", "25 ms")
    Pgse(delta=5.0, Delta=25.0)
    """
    return _make(waveforms.Pgse, echo_time, delta=delta, Delta=Delta)


def TrapezoidalPgse(
    delta: Quantity, Delta: Quantity, rise_time: Quantity, *, echo_time: Quantity | None = None
) -> Waveform:
    """PGSE whose gradient rises and falls at a constant rate.

    Parameters
    ----------
    delta : quantity
        From the beginning of the rise to the beginning of the fall of each pulse.
    Delta, echo_time : quantity
        See `Pgse`.
    rise_time : quantity
        At most `delta`.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.TrapezoidalPgse("5 ms", "25 ms", rise_time="0.5 ms")
    TrapezoidalPgse(delta=5.0, Delta=25.0, rise_time=0.5)
    """
    return _make(
        waveforms.TrapezoidalPgse, echo_time, delta=delta, Delta=Delta, rise_time=rise_time
    )


def DoublePgse(
    delta: Quantity,
    Delta: Quantity,
    mixing_time: Quantity,
    angle: Quantity,
    *,
    echo_time: Quantity | None = None,
) -> Waveform:
    """Two PGSE blocks one after the other, the second at an angle to the first.

    Parameters
    ----------
    delta, Delta, echo_time : quantity
        Of both blocks, see `Pgse`.
    mixing_time : quantity
        From the end of the first block's second pulse to the beginning of the next.
    angle : quantity
        Between the gradients of the two blocks; plain numbers are in degrees.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.DoublePgse("3 ms", "15 ms", mixing_time="10 ms", angle="90 deg")
    DoublePgse(delta=3.0, Delta=15.0, mixing_time=10.0, angle=90.0)
    """
    times = {"delta": delta, "Delta": Delta, "mixing_time": mixing_time, "angle": angle}
    return _make(waveforms.DoublePgse, echo_time, **times)


def TriplePgse(
    delta: Quantity, Delta: Quantity, mixing_time: Quantity, *, echo_time: Quantity | None = None
) -> Waveform:
    """Three PGSE blocks along three axes: a spherical b-tensor.

    Parameters
    ----------
    delta, Delta, echo_time : quantity
        Of each block, see `Pgse`.
    mixing_time : quantity
        From the end of a block to the beginning of the next.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.waveforms.TriplePgse("3 ms", "15 ms", mixing_time="0 ms")
    TriplePgse(delta=3.0, Delta=15.0, mixing_time=0.0)
    """
    return _make(waveforms.TriplePgse, echo_time, delta=delta, Delta=Delta, mixing_time=mixing_time)


def BTensor(
    delta: Quantity, Delta: Quantity, b_delta: float, *, echo_time: Quantity | None = None
) -> Waveform:
    """b-tensors of any anisotropy, axially symmetric about the direction of the signal.

    Parameters
    ----------
    delta, Delta, echo_time : quantity
        See `Pgse`: between two pulses the wave vector turns once on a cone.
    b_delta : float
        1 is linear, 0 spherical, -0.5 planar.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.waveforms.BTensor("5 ms", "30 ms", b_delta=0)
    BTensor(delta=5.0, Delta=30.0, b_delta=0.0)
    """
    return _make(waveforms.BTensor, echo_time, delta=delta, Delta=Delta, b_delta=b_delta)


def StimulatedEcho(
    delta: Quantity, Delta: Quantity, tau: Quantity, *, echo_time: Quantity | None = None
) -> Waveform:
    """PGSE whose magnetisation is stored along z between the pulses, where it relaxes with T1.

    Parameters
    ----------
    delta, Delta, echo_time : quantity
        See `Pgse`.
    tau : quantity
        Between the first two radio-frequency pulses, and between the third and the echo, with a
        gradient pulse in its middle: from delta to Delta.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.StimulatedEcho("3 ms", "200 ms", tau="8 ms")
    StimulatedEcho(delta=3.0, Delta=200.0, tau=8.0)
    """
    return _make(waveforms.StimulatedEcho, echo_time, delta=delta, Delta=Delta, tau=tau)


def FilterExchange(
    delta: Quantity,
    Delta: Quantity,
    delta_filter: Quantity,
    Delta_filter: Quantity,
    b_filter: Quantity,
    mixing_time: Quantity,
    *,
    echo_time: Quantity | None = None,
) -> Waveform:
    """Filter exchange (FEXI): a PGSE block filters, and another one detects after a mixing time.

    The strengths of a signal are those of the second block.

    Parameters
    ----------
    delta, Delta, echo_time : quantity
        Of the second block, see `Pgse`.
    delta_filter, Delta_filter, b_filter : quantity
        Of the first block, and its b-value.
    mixing_time : quantity
        From the end of the first block to the beginning of the second, with magnetisation stored
        along z.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> fexi = tr.waveforms.FilterExchange(
    ...     "5 ms", "20 ms", "5 ms", "20 ms", "1000 s/mm^2", "100 ms"
    ... )
    >>> fexi.parameters["b_filter"], fexi.parameters["mixing_time"]
    (1.0, 100.0)
    """
    parameters = {
        "delta": delta,
        "Delta": Delta,
        "delta_filter": delta_filter,
        "Delta_filter": Delta_filter,
        "b_filter": b_filter,
        "mixing_time": mixing_time,
    }
    return _make(waveforms.FilterExchange, echo_time, **parameters)


def SineOgse(
    delta: Quantity, Delta: Quantity, cycles: int, *, echo_time: Quantity | None = None
) -> Waveform:
    """Oscillating gradients, sin(2 pi cycles t / delta) in two trains.

    Parameters
    ----------
    delta : quantity
        Duration of each train.
    Delta : quantity
        Time from the beginning of one train to the beginning of the other.
    cycles : int
        Periods in a train, at least 1.
    echo_time : quantity, optional
        See `Pgse`.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.SineOgse("20 ms", "30 ms", cycles=2)
    SineOgse(delta=20.0, Delta=30.0, cycles=2.0)
    """
    return _make(waveforms.SineOgse, echo_time, delta=delta, Delta=Delta, cycles=cycles)


def CosineOgse(
    delta: Quantity, Delta: Quantity, cycles: int, *, echo_time: Quantity | None = None
) -> Waveform:
    """Oscillating gradients, cos(2 pi cycles t / delta) in two trains.

    Parameters
    ----------
    delta, Delta, cycles, echo_time
        See `SineOgse`.

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.CosineOgse("20 ms", "30 ms", cycles=2)
    CosineOgse(delta=20.0, Delta=30.0, cycles=2.0)
    """
    return _make(waveforms.CosineOgse, echo_time, delta=delta, Delta=Delta, cycles=cycles)


def TrapezoidalOgse(
    delta: Quantity,
    Delta: Quantity,
    cycles: int,
    rise_time: Quantity,
    *,
    echo_time: Quantity | None = None,
) -> Waveform:
    """Trains of trapezoids that follow a cosine; see `SineOgse`.

    Parameters
    ----------
    delta, Delta, cycles, echo_time
        See `SineOgse`.
    rise_time : quantity
        From zero to the full gradient, at most delta / (6 cycles + 1).

    Returns
    -------
    Waveform
        With its times in ms.

    Raises
    ------
    InputError
        If a time is none, or they do not fit.

    Examples
    --------
    >>> import torrey as tr
    >>> tr.TrapezoidalOgse("20 ms", "30 ms", cycles=2, rise_time="0.5 ms")
    TrapezoidalOgse(delta=20.0, Delta=30.0, cycles=2.0, rise_time=0.5)
    """
    times = {"delta": delta, "Delta": Delta, "cycles": cycles, "rise_time": rise_time}
    return _make(waveforms.TrapezoidalOgse, echo_time, **times)


def _make(cls: type[Waveform], echo_time: Quantity | None, **parameters: Any) -> Waveform:
    """Build a waveform from quantities by the names of its parameters."""
    call = cls.__name__
    values = {}
    for name, declaration in declarations(cls).items():
        kind = cast("Kind | None", declaration.unit)
        with argument(call, name):
            given = parameters[name]
            values[name] = quantity(given, kind) if kind else _number(given)
    with arguments(call):
        made = cls(**values)
        _ = made.segments  # the shape itself may be refused
    return at_echo(call, made, echo_time)


def _number(value: Any) -> float:
    if not is_number(value):
        raise InputError(quoted(str(value)), "a number without a unit")
    return float(value)
