"""Derivatives that a study asks for: whether its models have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torrey.base.budgets import quoted
from torrey.base.errors import KeyPath
from torrey.config.domain import ReferenceMethod
from torrey.config.findings import Findings
from torrey.config.models import StudyModel
from torrey.gradients.derivable import OF_BASES, ON_REQUEST, derivable_in
from torrey.gradients.sweep import REFERENCE, Sweep
from torrey.models.registry import has_derivatives

_KEY: Final = "derivatives"
_MODELS: Final = "reference by {method: projected}, or projected models such as P4"


def read_derivatives(
    findings: Findings,
    path: KeyPath,
    model: StudyModel,
    sweep: Sweep,
    method: ReferenceMethod,
    refused: str,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What signals of a study are derived by, and notes on models that have no derivatives.

    Parameters
    ----------
    findings : Findings
        Collects the problems: names that there are none by, and models without derivatives.
    path : tuple of str
        Of the study.
    model : StudyModel
    sweep : Sweep
    method : {"full", "projected"}
        Of the reference.
    refused : str
        Why there are no derivatives by radii; empty where there are some.

    Returns
    -------
    by, notes : tuple of str
    """
    given = model.derivatives
    if given is False:
        return (), ()
    where, derived = (*path, _KEY), [name for name in model.models if has_derivatives(name)]
    if not derived:
        found = f"derivatives of {', '.join(model.models)}"
        findings.add(where, found, f"{_MODELS}, among the models")
        return (), ()
    if REFERENCE in derived and method != "projected":
        findings.add(where, "derivatives of a reference in full", "reference: {method: projected}")
        return (), ()
    every = tuple(
        name
        for name in derivable_in(sweep.protocol, radii=not refused)
        if REFERENCE in derived or name not in OF_BASES
    )
    others = [name for name in model.models if name not in derived]
    notes = (f"no derivatives of {', '.join(others)}",) if others else ()
    if given is True:
        return tuple(name for name in every if name not in ON_REQUEST), notes
    _check_names(findings, where, given, every, derived, refused)
    return tuple(name for name in every if name in given), notes


def _check_names(
    findings: Findings,
    where: KeyPath,
    given: Sequence[str],
    every: Sequence[str],
    derived: Sequence[str],
    refused: str,
) -> None:
    """Note names by which none of the models is derived."""
    findings.require_once(where, given)
    for i, name in enumerate(given):
        if name not in every:
            why = ""
            if name in ON_REQUEST and refused:
                why = f": {refused}"
            elif name in OF_BASES and REFERENCE not in derived:
                why = f": bases of {', '.join(derived)} depend on the rest"
            findings.add((*where, i), quoted(name), f"true, or some of {', '.join(every)}{why}")
