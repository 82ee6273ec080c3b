"""One step of Rodas5P for a linear system with a matrix that changes in time.

Rodas5P (Steinebach 2023, BIT 63:27, table 3) is a Rosenbrock method of order 5 with eight stages,
A-stable, stiffly accurate, with no loss of order on parabolic problems beyond what the data force.
A step factorises one matrix, M/(gamma h) + A(t_n): Hermitian positive definite for M du/dt = -A u.
The coefficients are those of the transformed variables that need no product with the Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.complex128]

GAMMA: Final = 0.21193756319429014

#: a_ij: weights of the earlier stages in the argument of a stage; the last row gives the result.
_A: Final = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (
        -7.502846399306121,
        2.561846144803919,
        -11.627539656261098,
        -0.18268767659942256,
        0.030198172008377946,
    ),
)

#: c_ij: weights of the earlier stages on the right-hand side.
_C: Final = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (
        24.854864614690072,
        -3.0009227002832186,
        47.4931110020768,
        5.5814197821558125,
        -0.6610691825249471,
    ),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)

#: Weights of the earlier stages in the argument of every stage, where the last ones add the stage
#: before with weight one, and on its right-hand side.
_WEIGHTS: Final = tuple(
    np.array([state, memory])
    for state, memory in zip((*_A, (*_A[-1], 1.0), (*_A[-1], 1.0, 1.0)), _C, strict=True)
)

#: Times of the stages within a step of length one.
TIMES: Final = (
    0.0,
    0.6358126895828704,
    0.4095798393397535,
    0.9769306725060716,
    0.4288403609558664,
    1.0,
    1.0,
    1.0,
)

#: d_i: weights of the explicit time derivative; zero from the sixth stage on.
_SLOPE: Final = (
    GAMMA,
    -0.42387512638858027,
    -0.3384627126235924,
    1.8046452872882734,
    2.325825639765069,
)


def step(
    u: Vector,
    duration: float,
    solve: Callable[[Vector], Vector],
    mass: Callable[[Vector], Vector],
    rate: Callable[[float, Vector], Vector],
    rate_slope: Vector,
) -> Vector:
    """Advance M du/dt = -A(t) u by one step.

    Parameters
    ----------
    u : (n,) complex
        State at the beginning of the step.
    duration : float, ms
    solve : callable
        Inverse of M/(gamma h) + A at the beginning of the step.
    mass : callable
        v -> M v.
    rate : callable
        (t, v) -> A(t) v with t counted from the beginning of the step.
    rate_slope : (n,) complex
        dA/dt u at the beginning of the step.

    Returns
    -------
    (n,) complex
        State at the end of the step.
    """
    stages = np.empty((len(TIMES), *u.shape), dtype=complex)

    # The weights are real: one real product for both sums, without copies of the stages.
    rows = stages.reshape(len(TIMES), -1).view(float)
    state = u
    for i, time in enumerate(TIMES):
        if i:
            sums = (_WEIGHTS[i] @ rows[:i]).view(complex).reshape(2, *u.shape)
            state = u + sums[0]
        load = -rate(time * duration, state)
        if i:
            load += mass(sums[1] / duration)
        if i < len(_SLOPE):
            load -= _SLOPE[i] * duration * rate_slope
        stages[i] = solve(load)
    return state + stages[-1]


@dataclass(frozen=True)
class Stages:
    """What a step of M du/dt = -A(t) u with M = 1 has met, for its adjoint.

    Attributes
    ----------
    arguments : (n_stages, ...) complex
        States at which the rates of the stages were taken.
    increments : (n_stages, ...) complex
        What the stages solved for; the last argument and increment add up to the result.
    """

    arguments: Vector
    increments: Vector

    @property
    def end(self) -> Vector:
        """State at the end of the step."""
        result: Vector = self.arguments[-1] + self.increments[-1]
        return result


def recorded_step(
    u: Vector,
    duration: float,
    solve: Callable[[Vector], Vector],
    rate: Callable[[int, Vector], Vector],
    rate_slope: Vector,
) -> Stages:
    """The same step as `step` with M = 1, with all its stages.

    Parameters
    ----------
    u, duration, solve, rate_slope
        See `step`.
    rate : callable
        (number of a stage, v) -> A v at the time of that stage.
    """
    count = len(TIMES)
    arguments, increments = (np.empty((count, *u.shape), dtype=complex) for _ in range(2))
    rows = increments.reshape(count, -1).view(float)
    for i in range(count):
        arguments[i] = u
        memory = None
        if i:
            sums = (_WEIGHTS[i] @ rows[:i]).view(complex).reshape(2, *u.shape)
            arguments[i] += sums[0]
            memory = sums[1] / duration
        load = -rate(i, arguments[i])
        if memory is not None:
            load += memory
        if i < len(_SLOPE):
            load -= _SLOPE[i] * duration * rate_slope
        increments[i] = solve(load)
    return Stages(arguments, increments)


def adjoint_step(
    end: Vector,
    duration: float,
    solve: Callable[[Vector], Vector],
    rate: Callable[[int, Vector], Vector],
    slope: Callable[[Vector], Vector],
) -> tuple[Vector, Vector]:
    """What the result of a step weighs, as weights of its beginning and of its stages.

    Parameters
    ----------
    end : (n,) complex
        Weights y of a linear functional y^T u of the state at the end.
    duration : float, ms
    solve, rate, slope : callable
        Transposes of the inverse, of A at the time of a stage, and of dA/dt at the beginning.

    Returns
    -------
    begin : (n,) complex
        Weights of the state at the beginning.
    loads : (n_stages, n) complex
        Weights l_i of the right-hand sides of the stages: a change of A changes the functional by
        the sum of l_i^T (-dA(t_i) argument_i - dA(0) increment_i - d_i h dA'(0) u).
    """
    count = len(TIMES)
    loads = np.empty((count, *end.shape), dtype=complex)
    # Weights of the increments, filled from the last stage on.
    of = np.zeros((count, *end.shape), dtype=complex)
    of[-1] = end
    rows = of.reshape(count, -1).view(float)
    begin = np.zeros_like(end)
    for i in reversed(range(count)):
        loads[i] = solve(of[i])
        argument = -rate(i, loads[i])
        if i == count - 1:
            argument += end
        begin += argument
        if i < len(_SLOPE):
            begin -= _SLOPE[i] * duration * slope(loads[i])
        if i:
            pair = np.array([argument, loads[i] / duration]).reshape(2, -1).view(float)
            rows[:i] += _WEIGHTS[i].T @ pair
    return begin, loads


def slope_weights() -> NDArray[np.float64]:
    """d_i of all stages, shape (n_stages,)."""
    return np.array([*_SLOPE, *(0.0,) * (len(TIMES) - len(_SLOPE))])
