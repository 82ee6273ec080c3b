"""The kinds of models: what a name such as ``R2`` stands for, and all that is said of it elsewhere.

One entry per kind. It is the only place where names of models are told apart: the configuration
asks it what is accepted and what a study refuses, figures ask for labels, and
`torrey.models.evaluation` builds by it. The table of docs/configuration.md is made of it.

A configuration reads names without loading a solver. What builds a kind is therefore given by its
module and name (`Deferred`) and imported when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from torrey.base.budgets import MOST_ORDER, MOST_ORDER_OF_SEVERAL, quoted
from torrey.base.errors import InputError
from torrey.base.nearest import did_you_mean
from torrey.gradients.sweep import REFERENCE, PermeabilityKind
from torrey.models.model import Model

_ORDER: Final = "<n>"
#: As many orders are listed one by one; of more, the first two and the last.
_LISTED: Final = 3


@dataclass(frozen=True)
class StudyFacts:
    """What a study is, as far as some models cannot be had for all of them.

    Attributes
    ----------
    dimension : int
        Of the cell.
    membranes : tuple of (int, int)
        Numbers of the compartments outside and inside of each; inside is -1 for the surface of an
        obstacle. Compartment 0 is the outside of all cells.
    permeability_kind : {"permeability", "sigma0", "surface_relaxivity"}
        Which of them the study sweeps.
    permeable : bool
        Whether some value of it is above zero.
    material_keys : tuple of str
        What is given of the material beside its diffusivity: ``T2``, ``T1``, ``density``,
        ``permeability_factors``.
    n_components : int
        Of the waveform with the most components.
    immobile : bool
        Whether the water of some compartment does not move within the cell.
    sticks : bool
        Whether the water of some region moves along some axes of the cell alone.
    relaxing : bool
        Whether membranes relax magnetisation beside letting water through.
    """

    dimension: int
    membranes: tuple[tuple[int, int], ...]
    permeability_kind: PermeabilityKind
    permeable: bool
    material_keys: tuple[str, ...]
    n_components: int
    immobile: bool = False
    sticks: bool = False
    relaxing: bool = False

    @property
    def has_cells_in_an_outside(self) -> bool:
        """Whether there are membranes, and each lies between the outside and a cell."""
        return bool(self.membranes) and all(
            outside == 0 and inside > 0 for outside, inside in self.membranes
        )


Build = Callable[[Any, Any, Sequence[int]], Sequence[Model]]
"""``build(operators, frame, orders)``: models of some orders, which may share what they can.

``operators`` is a `torrey.cell.operators.BlochTorrey`; ``frame``, (d,) or (c, d) float, the
direction or the axes of the gradients.
"""
Refuses = Callable[[StudyFacts, int], str | None]
"""``refuses(facts, order)``: what is accepted in place of the model, and why; None for nothing."""


@dataclass(frozen=True)
class Deferred:
    """A function that is imported when it is called.

    Parameters
    ----------
    module, name : str
        Where it is: ``"torrey.models.projection"``, ``"projected_models"``.
    """

    module: str
    name: str

    def __call__(self, *arguments: Any) -> Any:
        return getattr(import_module(self.module), self.name)(*arguments)


def _refuse_nothing(_facts: StudyFacts, _order: int) -> str | None:
    return None


@dataclass(frozen=True)
class ModelKind:
    """A kind of model.

    Parameters
    ----------
    pattern : str
        Name of its models, with ``<n>`` for the order: ``R<n>``, or ``Pade``.
    about : str
        What it is, in the words of the documentation.
    build : Build, optional
        Makes models of some orders at once; none for the reference, which is no model.
    orders : sequence of int
        Those that there are. Where the pattern has no order, zero stands for it.
    refuses : Refuses
        Says why a model cannot be had in a study.
    label : str
        Text in figures, with ``<n>`` for the order; may hold mathematics between dollars. The name
        if not given.
    fitted : sequence of int
        Orders that inversions can fit with: see `torrey.inversion.physical`.
    is_system : bool
        Whether its models are `torrey.models.model.SmallModel`, with rate matrices.
    """

    pattern: str
    about: str
    build: Build | None = None
    orders: Sequence[int] = (0,)
    refuses: Refuses = _refuse_nothing
    label: str = ""
    fitted: Sequence[int] = ()
    is_system: bool = True

    def names(self, orders: Sequence[int] | None = None) -> list[str]:
        """Names of the models of some orders, or of all."""
        return [self.spell(order) for order in (self.orders if orders is None else orders)]

    def spell(self, order: int) -> str:
        """The name of the model of an order."""
        return self.pattern.replace(_ORDER, str(order))

    def listed(self, orders: Sequence[int] | None = None) -> str:
        """The same as `names`, in a few words: ``R0, R1, ..., R20``."""
        names = self.names(orders)
        if len(names) > _LISTED:
            names = [*names[:2], "...", names[-1]]
        return ", ".join(names)


@dataclass(frozen=True)
class ModelName:
    """A kind of model and an order: what a name stands for."""

    kind: ModelKind
    order: int

    @property
    def label(self) -> str:
        """Text in figures."""
        return (self.kind.label or self.kind.pattern).replace(_ORDER, str(self.order))

    def refusal(self, facts: StudyFacts) -> str | None:
        """What a study accepts in place of the model, and why; None if it has the model."""
        return self.kind.refuses(facts, self.order)

    def __str__(self) -> str:
        return self.kind.spell(self.order)


# Filled below; `register` adds to it.
_KINDS: dict[str, ModelKind] = {}


def register(kind: ModelKind) -> None:
    """Make a kind of model known, to the configuration, the evaluation and the figures.

    Raises
    ------
    ValueError
        If one of its names is taken.
    """
    if taken := set(names()) & set(kind.names()):
        raise ValueError(f"there is a model {min(taken)} already")
    _KINDS[kind.pattern] = kind


def kinds() -> tuple[ModelKind, ...]:
    """All kinds of models, the reference first."""
    return tuple(_KINDS.values())


def names() -> list[str]:
    """Names of all models."""
    return [name for kind in kinds() for name in kind.names()]


def accepted() -> str:
    """Names of all models, in a few words."""
    return ", ".join(kind.listed() for kind in kinds())


def accepted_by_fits() -> str:
    """Names of the models that inversions can fit with, in a few words."""
    return ", ".join(kind.listed(kind.fitted) for kind in kinds() if kind.fitted)


def parse(name: str) -> ModelName:
    """The kind and the order that a name stands for.

    Raises
    ------
    InputError
        If there is no model of that name.
    """
    for kind in kinds():
        for order in kind.orders:
            if kind.spell(order) == name:
                return ModelName(kind, order)
    # An order that there is not is no slip of the pen.
    bare = name.rstrip("0123456789")
    is_order = any(kind.pattern == f"{bare}{_ORDER}" for kind in kinds())
    hint = "" if is_order else did_you_mean(name, names())
    raise InputError(f"{quoted(name)}{hint}", accepted())


def kind_of(name: str) -> ModelKind:
    """The kind of the model of a name.

    Raises
    ------
    InputError
        If there is no model of that name.
    """
    return parse(name).kind


def can_be_fitted(name: str) -> bool:
    """Whether there is a model of that name, and inversions can fit with it."""
    return any(name in kind.names(kind.fitted) for kind in kinds())


def has_derivatives(name: str) -> bool:
    """Whether signals of a model can be derived: of the reference, and of projected models."""
    return kind_of(name).pattern in (REFERENCE, f"P{_ORDER}")


def label(name: str) -> str:
    """Text for a model in figures; the name itself of one that is not known here."""
    try:
        return parse(name).label
    except InputError:
        return name


# ---- the kinds ----


_NO_STICKS: Final = (
    "reference: the others need water that moves along all axes of the cell, or along none"
)


_NO_RELAXING: Final = (
    "reference, or P0, P1, ...: homogenised models know one of permeability and surface_relaxivity"
)


def _refuse_rates(facts: StudyFacts, order: int) -> str | None:
    """Homogenised models have one exchange with what lies behind a membrane."""
    return _NO_RELAXING if facts.relaxing else _refuse_costly(facts, order)


def _refuse_costly(facts: StudyFacts, order: int) -> str | None:
    """Correctors grow fast in number with components of gradients, and need water that moves."""
    if facts.sticks:
        return _NO_STICKS
    if facts.n_components > 1 and order > MOST_ORDER_OF_SEVERAL:
        return f"orders up to {MOST_ORDER_OF_SEVERAL} for a waveform of several components"
    return None


def _refuse_lumped(facts: StudyFacts, order: int) -> str | None:
    """Cells can be lumped where each membrane lies between the outside and a cell.

    The papers' tensors, which are lumped, describe diffusion with one permeability alone.
    """
    if facts.sticks:
        return _NO_STICKS
    if facts.relaxing:
        return _NO_RELAXING
    reasons = []
    if facts.permeability_kind == "surface_relaxivity" and facts.permeable:
        reasons.append("lumped models know nothing of surface_relaxivity")
    if facts.immobile:
        reasons.append("lumped models need water that moves everywhere")
    if not facts.has_cells_in_an_outside:
        reasons.append("only cells in an outside can be lumped")
    if facts.material_keys:
        reasons.append(f"lumped models know nothing of {', '.join(facts.material_keys)}")
    if facts.n_components > 1:
        reasons.append("lumped models take gradients along one direction")
    return f"R{order}: {'; '.join(reasons)}" if reasons else None


def _refuse_pade(facts: StudyFacts, _order: int) -> str | None:
    """The Pade form is for water that no membrane lets through, without relaxation."""
    if facts.sticks:
        return _NO_STICKS
    if facts.relaxing:
        return _NO_RELAXING
    reasons = []
    if facts.immobile:
        reasons.append("Pade needs water that moves everywhere")
    if facts.permeable:
        reasons.append("Pade is for impermeable membranes, 0 m/s")
    if times := [key for key in ("T2", "T1") if key in facts.material_keys]:
        reasons.append(f"Pade knows nothing of {' and '.join(times)}")
    if facts.n_components > 1:
        reasons.append("Pade takes gradients along one direction")
    return f"R2: {'; '.join(reasons)}" if reasons else None


for _kind in (
    ModelKind(
        REFERENCE,
        about="the Bloch-Torrey equation itself, solved to the tolerance",
        label="Ref",
        is_system=False,
    ),
    ModelKind(
        f"R{_ORDER}",
        about="homogenised model of order n in the period; "
        f"up to {MOST_ORDER_OF_SEVERAL} for a waveform of several components",
        build=Deferred("torrey.models.expansion", "homogenised_models"),
        orders=range(MOST_ORDER + 1),
        refuses=_refuse_rates,
        fitted=range(3),
    ),
    ModelKind(
        f"P{_ORDER}",
        about="projected on the correctors up to order n, stable everywhere; "
        f"up to {MOST_ORDER_OF_SEVERAL} for a waveform of several components",
        build=Deferred("torrey.models.projection", "projected_models"),
        orders=range(MOST_ORDER + 1),
        refuses=_refuse_costly,
        fitted=range(MOST_ORDER + 1),
    ),
    ModelKind(
        f"lumped-R{_ORDER}",
        about="all cells as one compartment, for comparison with KL23; for cells in an outside, "
        "gradients along one direction, and materials without `T2`, `T1`, `density` and "
        "`permeability_factors`",
        build=Deferred("torrey.models.lumped", "lumped_models"),
        orders=(0, 2),
        refuses=_refuse_lumped,
        label=f"lumped R{_ORDER}",
    ),
    ModelKind(
        "Pade",
        about="the form of R2 that stays positive (KHM19); for impermeable membranes, gradients "
        "along one direction, and materials without `T2` and `T1`",
        build=Deferred("torrey.models.kurtosis", "pade_models"),
        refuses=_refuse_pade,
        label="Padé",
        is_system=False,
    ),
):
    register(_kind)
