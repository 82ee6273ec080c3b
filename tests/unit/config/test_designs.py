"""The section `designs`: which parameters there are, and what is refused with its place."""

from __future__ import annotations

import pytest
from support.configurations import load_texts

from torrey.config import ConfigError
from torrey.workflow.derivatives import design_files
from torrey.workflow.layout import Layout

TEXT = """\
geometries:
  two: {kind: discs, cells: [{center: [0.3, 0.3], radius: 0.2}, {center: [0.7, 0.7], radius: 0.2}]}
studies:
  sweep:
    geometry: two
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    period: [6 um, 12 um]
    permeability: 8e-5 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: [12 ms, 20 ms]}
    b: [500 s/mm^2, 1000 s/mm^2, 2000 s/mm^2]
    directions: [[1, 0]]
    models: [R0, reference, P4]
    reference: {method: projected}
    derivatives: true
  plain:
    geometry: two
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    period: 6 um
    permeability: 8e-5 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: 12 ms}
    b: 500 s/mm^2
    directions: [[1, 0]]
    models: R0
designs:
  mine: {study: sweep, sigma: 0.02}
"""
MOVING = "inside: 1.7e-3 mm^2/s}\n    period: [6 um, 12 um]\n    permeability: 8e-5 m/s"
STILL = "inside: 0 mm^2/s}\n    period: [6 um, 12 um]\n    permeability: 0 m/s"
DESIGN = "{study: sweep, sigma: 0.02}"


def settings_of(tmp_path, text: str):
    return load_texts(tmp_path, text).designs["mine"].settings


def test_all_that_there_is_is_unknown_by_default(tmp_path):
    found = settings_of(tmp_path, TEXT)
    assert found.model == "reference"
    assert found.parameters == (
        ("kappa", (), 0.0),
        ("D_outside", (0,), 3.0),
        ("D_inside", (1, 2), 1.7),
        ("L", (), 0.0),
    )
    assert (found.choose, found.columns) == (0, (0, 1, 2, 3))


def test_radii_are_parameters_where_a_study_is_derived_by_them(tmp_path):
    text = TEXT.replace("derivatives: true", "derivatives: [R, kappa]")
    found = settings_of(tmp_path, text)
    assert found.parameters == (("kappa", (), 0.0), ("R_inside", (0, 1), 0.2))
    other = text.replace("[0.7, 0.7], radius: 0.2", "[0.7, 0.7], radius: 0.1")
    found = settings_of(tmp_path, other)
    assert found.parameters[1:] == (("R_cell_1", (0,), 0.2), ("R_cell_2", (1,), 0.1))
    for parameters, said in (
        ("R_inside", "R_inside, of balls of different radii, accepted: R_cell_1, R_cell_2"),
        ("[R_cell_1, R_cell_3]", '"R_cell_3"'),
        ("[R_cell_1, D_inside]", "study sweep has derivatives by them"),
    ):
        given = f"{{study: sweep, sigma: 0.02, parameters: {parameters}}}"
        with pytest.raises(ConfigError) as caught:
            settings_of(tmp_path, other.replace(DESIGN, given))
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (DESIGN, "{study: sweep, sigma: 0.02, model: P4}", ("kappa", "L")),
        ("derivatives: true", "derivatives: [D, b]", ("D_outside", "D_inside")),
        (
            "inside: 1.7e-3 mm^2/s}\n    period: [6",
            "inside: [1.7e-3 mm^2/s, 1e-3 mm^2/s]}\n    period: [6",
            ("kappa", "D_outside", "D_cell_1", "D_cell_2", "L"),
        ),
        # Where nothing passes, and where nothing moves.
        ("8e-5 m/s\n    waveform: {kind: pgse, delta: 4 ms, Delta: [", "0 m/s\n    waveform: "
         "{kind: pgse, delta: 4 ms, Delta: [", ("D_outside", "D_inside", "L")),
        (MOVING, STILL, ("D_outside", "L")),
    ],
)  # fmt: skip
def test_what_is_unknown_by_default_depends_on_the_study(tmp_path, old, new, names):
    assert TEXT.count(old) == 1
    assert settings_of(tmp_path, TEXT.replace(old, new)).names == names


def test_a_choice_and_its_files(tmp_path):
    more = "parameters: [L, D_cell_2], choose: 3, criterion: A, of: L, repeated: true"
    config = load_texts(tmp_path, TEXT.replace("sigma: 0.02", f"sigma: 0.05, {more}"))
    found = config.designs["mine"].settings
    assert found.parameters == (("L", (), 0.0), ("D_cell_2", (2,), 1.7))
    assert (found.criterion, found.of, found.columns) == ("A", ("L",), (0,))
    assert (found.choose, found.sigma, found.repeated) == (3, 0.05, True)
    ((path, stage, inputs, beside),) = design_files(Layout(config))
    assert path == "results/designs/mine/design.nc"
    assert beside == ["results/designs/mine/design.csv"]
    assert inputs == {"derivatives": "results/studies/sweep/derivatives.nc"}
    assert stage.settings == found
    assert path in Layout(config).own_files()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("sigma: 0.02", "sigma: 0", 'sigma: found "0", accepted: a number above 0'),
        (", sigma: 0.02", "", "mine.sigma: found nothing"),
        ("study: sweep,", "study: swep,", 'did you mean "sweep"'),
        ("study: sweep,", "study: plain,", "study plain without derivatives"),
        ("0.02", "0.02, model: R0", '"R0", accepted: a model of study sweep with derivatives: ref'),
        ("0.02", "0.02, parameters: [kappa, D_insid]", '"D_insid" (did you mean "D_inside"?)'),
        ("0.02", "0.02, parameters: [D_outside], model: P4", "some of kappa, L: study sweep"),
        ("0.02", "0.02, parameters: [b]", '"b", accepted: some of kappa, L, D_outside'),
        ("0.02", "0.02, parameters: [L, L]", "L a second time"),
        ("0.02", "0.02, parameters: [D_inside, D_cell_2]", "D_cell_2 beside D_inside"),
        ("0.02", "0.02, choose: 7", "choose: found 7, accepted: 4, the number of parameters, to 6"),
        ("0.02", "0.02, choose: 3", "choose: found 3, accepted: 4"),
        ("0.02", "0.02, choose: 4, of: [D_cell_1]", '"D_cell_1", accepted: some of the para'),
        ("0.02", "0.02, choose: 4, criterion: E", "D (determinant) or A (trace)"),
        ("0.02", "0.02, criterion: A", "criterion without choose"),
        ("0.02", "0.02, direction: x", 'the unknown key "direction"'),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(tmp_path, old, new, found):
    changed = DESIGN.replace(old, new)
    assert changed != DESIGN
    with pytest.raises(ConfigError) as caught:
        load_texts(tmp_path, TEXT.replace(DESIGN, changed))
    said = str(caught.value)
    print(said)
    assert said.count("mine.yaml") == 1
    assert "designs.mine" in said
    assert found in said


@pytest.mark.parametrize(
    ("old", "new", "parameters", "found"),
    [
        ("permeability: 8e-5 m/s\n    waveform: {kind: pgse, delta: 4 ms, Delta: [12",
         "permeability: [0 m/s, 8e-5 m/s]\n    waveform: {kind: pgse, delta: 4 ms, Delta: [12",
         "[kappa, L]", "kappa, which is 0 in study sweep, accepted: permeabilities above zero"),
        (MOVING, STILL, "[L, D_inside]", "D_inside, of immobile water"),
        ("inside: 1.7e-3 mm^2/s}\n    period: [6",
         "inside: [1.7e-3 mm^2/s, 1e-3 mm^2/s]}\n    period: [6",
         "[L, D_inside]", "different diffusivities, accepted: D_cell_1, D_cell_2"),
    ],
)  # fmt: skip
def test_parameters_that_a_cell_does_not_have_are_refused(tmp_path, old, new, parameters, found):
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new).replace("0.02", f"0.02, parameters: {parameters}")
    with pytest.raises(ConfigError) as caught:
        load_texts(tmp_path, text)
    print(caught.value)
    assert "designs.mine.parameters" in str(caught.value)
    assert found in str(caught.value)


def test_choices_that_would_take_hours_are_refused(tmp_path):
    many = TEXT.replace("period: [6 um, 12 um]", "period: {start: 6 um, stop: 12 um, num: 900}")
    # 900 cells with 6 candidates each, and 10 rounds of 9,000 exchanges.
    loaded = load_texts(tmp_path, many.replace("0.02", "0.02, choose: 9000, repeated: true", 1))
    assert loaded.designs["mine"].settings.choose == 9000
    other = "0.02, choose: 9000, repeated: true}\n  more: {study: sweep, sigma: 1, choose: 6"
    more = many.replace("0.02", f"{other}, repeated: true", 1)
    with pytest.raises(ConfigError, match="comparisons of measurements") as caught:
        load_texts(tmp_path, more.replace("choose: 6", "choose: 9900"))
    assert "designs.more.choose" in str(caught.value)
