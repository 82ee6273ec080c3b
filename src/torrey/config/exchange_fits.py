"""Models of measured tables fitted to studies: whether these have what the models need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torrey.base.budgets import MOST_FITS, quoted
from torrey.base.errors import InputError, KeyPath
from torrey.config.data_fits import limits_of, options_of
from torrey.config.data_models import ExchangeInversionModel
from torrey.config.domain import Inversion, Study
from torrey.config.findings import Findings
from torrey.config.inversions import fitted_studies
from torrey.inversion.fit_settings import FitSettings

if TYPE_CHECKING:
    from torrey.inversion.table_model import TableModel

_TIMES = ("t_ex", "AXR")


def is_exchange_fit(findings: Findings, name: str) -> bool:
    """Whether an entry of ``inversions`` is a model of tables fitted to studies."""
    path = ("inversions", name, "kind")
    nodes = list(findings.root.walk(path))
    return len(nodes) == len(path) + 1 and nodes[-1].content == "exchange"


def read_exchange_fit(
    findings: Findings, name: str, studies: Mapping[str, Study]
) -> Inversion | None:
    """Build an inversion, or note what is wrong with it and return None.

    Parameters
    ----------
    findings : Findings
    name : str
    studies : mapping of str to Study
        Those without problems; an inversion of another one is not checked against it.
    """
    path = ("inversions", name)
    before = len(findings.problems)
    model = findings.validate(path, ExchangeInversionModel)
    if model is None:
        return None
    known = fitted_studies(findings, path, model.studies, studies)
    if known is None:
        return None
    first = known[0]
    for i, study in enumerate(known):
        where = (*path, "studies", i)
        _check_study(findings, where, study, model.signals)
        if study.material != first.material:
            found = f"study {study.name}, of another material than {first.name}"
            findings.add(where, found, "studies of one diffusivity, with gradients alike")
    if len(findings.problems) > before:
        return None
    with findings.under(*path):
        cells = sum(len(tuple(study.sweep.cells())) for study in known)
        findings.spend("fits", model.starts * cells, MOST_FITS)
        settings = _settings(findings, path, model)
        _check_tables(findings, path, settings, known, model.snr is not None)
    if len(findings.problems) > before:
        return None
    return Inversion(
        name=name,
        kind="exchange",
        studies=tuple(model.studies),
        data=(model.signals,),
        settings=settings,
        snr=model.snr,
    )


def _check_study(findings: Findings, path: KeyPath, study: Study, signals: str) -> None:
    """The signals that are fitted, and one orientation."""
    if signals not in study.models:
        found = f"study {study.name} without {quoted(signals)}"
        findings.add(path, found, f"one with {signals} among its models")
    if "orientation" in (axes := study.sweep.axes()) and len(axes["orientation"]) > 1:
        found = f"study {study.name} with {len(axes['orientation'])} orientations"
        findings.add(path, found, "one orientation")


def _settings(findings: Findings, path: KeyPath, model: ExchangeInversionModel) -> FitSettings:
    # Models take a tenth of a second to import, which other configurations do not spend.
    from torrey.inversion.table_models import table_model

    options = options_of(findings, path, model)
    table = table_model(model.model, **options)
    fixed, bounds = limits_of(model, {one.name: one for one in table.parameters})
    for name in fixed:
        if name in _TIMES:
            raise InputError(f"{name}, which is asked for", "other parameters", at=("fixed", name))
    return FitSettings(model.model, options, fixed, bounds, starts=model.starts, seed=model.seed)


def _check_tables(
    findings: Findings, path: KeyPath, settings: FitSettings, studies: list[Study], has_noise: bool
) -> None:
    """Every study has the measurements that the model needs."""
    from torrey.inversion.table_models import table_model

    model: TableModel = table_model(settings.model, **settings.options)
    for i, study in enumerate(studies):
        try:
            _check_table(model, settings, study, has_noise)
        except InputError as error:
            found = f"study {study.name}, with {error.found}, for {settings.model}"
            findings.add((*path, "studies", i), found, error.accepted)


def _check_table(model: TableModel, settings: FitSettings, study: Study, has_noise: bool) -> None:
    from torrey.inversion.study_tables import table_of_sweep
    from torrey.inversion.table_checks import check_fit

    check_fit(model, table_of_sweep(study.sweep, model.powder), settings, has_noise)
