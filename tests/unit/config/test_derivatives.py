"""Derivatives that a study asks for: by what, of which models, and what is refused."""

from __future__ import annotations

import pytest
from support.configurations import GOOD, load_texts

from torrey.config import ConfigError
from torrey.workflow import layout as paths
from torrey.workflow.derivatives import derivative_files
from torrey.workflow.layout import Layout

MODELS = "models: [reference, R0, R2]"
PROJECTED = "models: [reference, R0, P4]\n    reference: {method: projected}"


def text(derivatives: str, models: str = PROJECTED) -> str:
    assert GOOD.count(MODELS) == 1
    return GOOD.replace(MODELS, f"{models}\n    derivatives: {derivatives}")


@pytest.mark.parametrize(
    ("given", "models", "by", "derived"),
    [
        ("true", PROJECTED, ("kappa", "D", "L", "b", "direction"), ("reference", "P4")),
        ("false", PROJECTED, (), ()),
        ("[L, kappa]", PROJECTED, ("kappa", "L"), ("reference", "P4")),
        ("kappa", PROJECTED, ("kappa",), ("reference", "P4")),
        ("[R, kappa]", PROJECTED, ("kappa", "R"), ("reference", "P4")),
        # Bases depend on the rest.
        ("true", "models: [R0, P2, P4]", ("kappa", "L", "b"), ("P2", "P4")),
    ],
)
def test_what_signals_are_derived_by(tmp_path, given, models, by, derived):
    config = load_texts(tmp_path, text(given, models))
    study = config.studies["mine"]
    assert (study.derivatives, study.derived_models) == (by, derived)
    files = Layout(config).study_files(study)
    assert (paths.DERIVATIVES.format(study="mine") in files) == bool(by)
    assert ("no derivatives of R0" in study.notes) == bool(by)


def test_bases_are_inputs_where_they_are_enough(tmp_path):
    found = {}
    for given in ("[kappa, b]", "[kappa, D]"):
        layout = Layout(load_texts(tmp_path, text(given)))
        ((_, stage, found[given]),) = derivative_files(layout)
        assert stage.regions == ("outside", "cell_1", "cell_2")
        assert stage.radii == ("cell_1", "cell_2")
        assert len(found[given]["slabs"]) == 4
        assert set(found[given]["bases"]) <= set(layout.spans)
    assert found["[kappa, b]"]["bases"]
    assert not found["[kappa, D]"]["bases"]


@pytest.mark.parametrize(
    ("given", "models", "found"),
    [
        ("[kappa, radius]", PROJECTED, 'derivatives[1]: found "radius", accepted: true, or a list'),
        ("[kappa, q]", PROJECTED, '"q", accepted: true, or some of kappa, D, L, b, direction'),
        ("[kappa, kappa]", PROJECTED, "kappa a second time"),
        ("3", PROJECTED, "accepted: true, or a list of kappa, D, L"),
        ("true", MODELS, "a reference in full, accepted: reference: {method: projected}"),
        ("true", "models: [R0, R2]", "derivatives of R0, R2, accepted: reference by"),
        ("[D]", "models: [P4]", "some of kappa, L, b: bases of P4 depend on the rest"),
    ],
)
def test_what_there_is_none_of_is_refused_with_its_place(tmp_path, given, models, found):
    with pytest.raises(ConfigError) as caught:
        load_texts(tmp_path, text(given, models))
    said = str(caught.value)
    print(said)
    assert said.count("mine.yaml") == 1
    assert "studies.mine.derivatives" in said
    assert found in said


def test_gradients_decide_what_there_is(tmp_path):
    fexi = (
        "waveform: {kind: filter-exchange, delta: 4 ms, Delta: 12 ms, delta_filter: 4 ms, "
        "Delta_filter: 12 ms, b_filter: 0.5 ms/um^2, mixing_time: 10 ms}"
    )
    old = "waveform: {kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}"
    assert old in GOOD
    # Its shape depends on the strength.
    study = load_texts(tmp_path, text("true").replace(old, fexi)).studies["mine"]
    assert study.derivatives == ("kappa", "D", "L", "direction")
    turned = text("true\n    orientation: {axis: [1, 0, 0]}").replace("[[1, 0]]", "[[1, 0, 0]]")
    assert load_texts(tmp_path, turned).studies["mine"].derivatives == ("kappa", "D", "L", "b")
