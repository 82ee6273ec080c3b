"""The registry of models: names, what is said of them, and a kind that is added."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import gauss
from support.configurations import edited, load_texts

import torrey
from torrey.base.errors import InputError
from torrey.cell.build import levels
from torrey.figures import style
from torrey.geometry import MeshOptions
from torrey.models import registry
from torrey.models.evaluation import evaluate_models
from torrey.models.files import eigenvalue_table

DOCS = Path(torrey.__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def gauss_kind(monkeypatch):
    """The model Gauss, known for the time of a test."""
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    registry.register(gauss.KIND)


@pytest.mark.parametrize(
    ("name", "pattern", "order"),
    [
        ("reference", "reference", 0),
        ("R0", "R<n>", 0),
        ("R12", "R<n>", 12),
        ("P3", "P<n>", 3),
        ("lumped-R2", "lumped-R<n>", 2),
        ("Pade", "Pade", 0),
    ],
)
def test_a_name_stands_for_a_kind_and_an_order(name, pattern, order):
    found = registry.parse(name)
    assert (found.kind.pattern, found.order) == (pattern, order)
    assert str(found) == name
    assert registry.kind_of(name) is found.kind


@pytest.mark.parametrize("name", ["R", "R21", "R01", "R٢", "R-1", "lumped-R1", "pade", "R2 ", ""])
def test_other_names_are_refused_with_what_is_accepted(name):
    with pytest.raises(InputError) as refusal:
        registry.parse(name)
    assert refusal.value.accepted == (
        "reference, R0, R1, ..., R20, P0, P1, ..., P20, lumped-R0, lumped-R2, Pade"
    )


def test_every_name_is_that_of_one_model():
    names = registry.names()
    assert len(set(names)) == len(names) == 1 + 21 + 21 + 2 + 1
    assert [str(registry.parse(name)) for name in names] == names


def test_fits_take_some_models():
    assert registry.accepted_by_fits() == "R0, R1, R2, P0, P1, ..., P20"
    fitted = [name for name in registry.names() if registry.can_be_fitted(name)]
    assert fitted == ["R0", "R1", "R2", *(f"P{n}" for n in range(21))]


def test_labels_are_for_figures():
    found = [registry.label(name) for name in ("reference", "R2", "P3", "lumped-R0", "Pade")]
    assert found == ["Ref", "R2", "P3", "lumped R0", "Padé"]
    # A file may hold a model that is not known here.
    assert registry.label("Gauss") == "Gauss"


def test_every_kind_but_the_reference_can_be_built():
    for kind in registry.kinds():
        assert (kind.build is None) == (kind.pattern == "reference")


@pytest.mark.usefixtures("gauss_kind")
def test_a_name_that_is_taken_is_not_given_again():
    with pytest.raises(ValueError, match="there is a model R3 already"):
        registry.register(replace(gauss.KIND, pattern="R<n>", orders=(3, 25)))
    with pytest.raises(ValueError, match="there is a model Gauss already"):
        registry.register(gauss.KIND)


@pytest.mark.usefixtures("gauss_kind")
def test_a_new_kind_goes_from_a_configuration_to_signals(tmp_path):
    config = load_texts(tmp_path, edited("R0, R2]", "R0, Gauss]"))
    study = config.studies["mine"]
    assert study.models == ("reference", "R0", "Gauss")
    mesh = levels(study.shape, MeshOptions(0.3, 1), study.material)
    table = evaluate_models(mesh, study.sweep, study.homogenised)
    measures = mesh[-1].cell.measures()
    D = measures @ np.array([2.5, 1.2, 1.2]) / measures.sum()
    for index, point in study.points().items():
        assert table.signal[(1, -1, *index)] == pytest.approx(np.exp(-point.b * D), rel=1e-9)
    assert np.all(table.growth[1] == 0.0)
    assert np.all(table.amplification[1] == 1.0)
    assert np.all(table.space_error() > 0.0)
    # It has no rate matrices.
    assert list(eigenvalue_table(mesh[0], study.sweep, study.homogenised)["model"].values) == ["R0"]


@pytest.mark.usefixtures("gauss_kind")
def test_a_new_kind_is_named_among_those_that_are_accepted(messages):
    (message,) = messages(edited("R0, R2]", "R0, Gaussian]"))
    assert 'found "Gaussian" (did you mean "Gauss"?), accepted: reference, R0, ' in message
    assert message.endswith(", Pade, Gauss")


@pytest.mark.usefixtures("gauss_kind")
def test_a_new_kind_says_where_it_cannot_be_had(messages):
    text = edited("geometry: tissue", "geometry: layers").replace("[[1, 0]]", "[[1]]")
    (message,) = messages(text.replace("R0, R2]", "R0, Gauss]"))
    assert message.endswith("found Gauss, accepted: R0: Gauss is for cells in the plane")


def test_without_an_entry_there_is_no_such_model(messages):
    (message,) = messages(edited("R0, R2]", "R0, Gauss]"))
    assert message.endswith("lumped-R2, Pade")


@pytest.mark.usefixtures("gauss_kind")
def test_a_new_kind_has_a_label_and_a_look():
    look = style.look_of("Gauss")
    assert look.label == registry.label("Gauss") == r"$e^{-b \langle D \rangle}$"
    assert look.color == style.look_of("P3").color
