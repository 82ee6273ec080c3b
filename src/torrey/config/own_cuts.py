"""Which models, and which part of its studies, a figure of one's own shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torrey.base.budgets import quoted
from torrey.base.nearest import did_you_mean
from torrey.config.axis_values import place_of
from torrey.config.nodes import listed
from torrey.config.own_places import STUDY, Reader


def check_models(reader: Reader, given: Sequence[str]) -> None:
    """Note models that no study has, and studies that have none of the models."""
    known = list(dict.fromkeys(m for study in reader.studies for m in study.models))
    reader.findings.require_once((*reader.path, "models"), given)
    unknown = [i for i, model in enumerate(given) if model not in known]
    for i in unknown:
        found = f"{quoted(given[i])}{did_you_mean(given[i], known)}"
        accepted = f"models of {reader.named}: {listed(known)}"
        reader.findings.add((*reader.path, "models", i), found, accepted)
    if not given or unknown:
        return
    for study in reader.studies:
        if not set(study.models) & set(given):
            found = f"{listed(list(given))}, none of which study {study.name} has"
            reader.refuse("models", found, f"some of its models, too: {listed(study.models)}")


def fixed_places(reader: Reader, given: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Places of the values of ``at`` in each study, or note what is none of its values.

    Returns
    -------
    dict of str to dict of str to int
        By study and axis, what a table of the study is cut by.
    """
    axes = {axis: values for axis, values in reader.axes.items() if axis != STUDY}
    found: dict[str, dict[str, int]] = {study.name: {} for study in reader.studies}
    for axis, text in given.items():
        place = (*reader.path, "at", axis)
        if axis not in axes:
            accepted = f"an axis of {reader.named}: {listed(list(axes))}"
            reader.findings.add(place, f"{quoted(axis)}{did_you_mean(axis, list(axes))}", accepted)
            continue
        if axis == reader.along:
            reader.findings.add(place, f"{axis}, along which this kind draws", "other axes")
            continue
        for study in reader.studies:
            with reader.findings.under(*place):
                values = study.sweep.axes()[axis]
                found[study.name][axis] = place_of(axis, values, text, f"study {study.name}")
    return found


def chosen(models: Sequence[str], given: Sequence[str]) -> list[str]:
    """Models of a study that are drawn: those that are named, or all."""
    return [model for model in models if model in given or not given]
