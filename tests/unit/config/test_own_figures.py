"""Figures of one's own: axes find their places, and what cannot be shown is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrey.config import Config, ConfigError, load
from torrey.figures.catalogue import problems

STUDY = """
    geometry: cell
    diffusivity: {{outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}}
    period: {period}
    permeability: {kappa}
    waveform: {{kind: pgse, delta: 2 ms, Delta: {Delta}}}
    b: {b}
    directions: {directions}
    models: {models}
"""
DEFAULTS = {
    "period": "2 um",
    "kappa": "5e-5 m/s",
    "Delta": "10 ms",
    "b": "[0 s/mm^2, 500 s/mm^2, 900 s/mm^2, 1200 s/mm^2]",
    "directions": "[[1, 0]]",
    "models": "[reference, R0, R2]",
}
MANY = "{start: 3 ms, stop: 60 ms, num: 13}"
TIMES = "[5 ms, 10 ms, 20 ms]"
KAPPAS = "[3e-5 m/s, 5e-5 m/s]"


@pytest.fixture
def read(tmp_path: Path):
    """Load a configuration with a figure and some studies, given by what differs in them."""

    def read_figure(figure: str, name: str = "my-own_1", **studies: dict[str, str]) -> Config:
        disc = "{kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}"
        text = f"geometries: {{cell: {disc}}}\n"
        text += "studies:\n"
        for study, changes in (studies or {"mine": {}}).items():
            text += f"  {study}:{STUDY.format(**(DEFAULTS | changes))}"
        path = tmp_path / "mine.yaml"
        path.write_text(f"{text}figures:\n  {name}: {{{figure}}}\n", encoding="utf-8")
        return load([path])

    return read_figure


def settings(config: Config) -> dict[str, str]:
    return dict(config.figures["my-own_1"].settings)


@pytest.mark.parametrize(
    ("keys", "study", "x", "colour", "panel"),
    [
        ("", {}, "b", "", ""),
        ("", {"Delta": TIMES, "kappa": KAPPAS}, "b", "Delta", "permeability"),
        ("x: Delta", {"Delta": TIMES, "kappa": KAPPAS}, "Delta", "b", "permeability"),
        ("colour: permeability", {"Delta": TIMES, "kappa": KAPPAS}, "b", "permeability", "Delta"),
        ("panel: Delta", {"Delta": TIMES}, "b", "", "Delta"),
        # A direction is no number, and nothing is drawn against it.
        ("", {"b": "500 s/mm^2", "directions": "[[1, 0], [0, 1], [1, 1]]", "Delta": "[5 ms, 9 ms]"},
         "Delta", "direction", ""),
        # More than there are colours.
        ("", {"b": "{start: 1 s/mm^2, stop: 2 s/mm^2, num: 20}",
              "Delta": "{start: 3 ms, stop: 60 ms, num: 9}"}, "b", "", "Delta"),
    ],
)  # fmt: skip
def test_axes_find_their_places(read, keys, study, x, colour, panel):
    config = read(f"kind: signals, studies: mine, {keys}".rstrip(", "), mine=study)
    assert settings(config) == {"x": x, "colour": colour, "panel": panel}
    assert list(problems(config)) == []


def test_several_studies_are_an_axis(read):
    config = read("kind: signals, studies: [mine, other]", mine={}, other={"period": "3 um"})
    assert settings(config) == {"x": "b", "colour": "study", "panel": ""}


@pytest.mark.parametrize(
    ("figure", "study", "place", "found", "accepted"),
    [
        ("x: Dleta", {"Delta": TIMES}, ".x", '"Dleta" (did you mean "Delta"?)', "an axis of study"),
        ("x: direction", {"directions": "[[1, 0], [0, 1]]"}, ".x", "no numbers", "numbers: b"),
        ("x: period", {}, ".x", "period with one value", "several values: b"),
        ("x: b, colour: b", {}, ".colour", "b, which x shows", "an axis of its own"),
        ("colour: Delta", {"Delta": MANY}, ".colour", "13 values of Delta", "at most 8"),
        ("panel: Delta", {"Delta": MANY}, ".panel", "13 values of Delta", "at most 12"),
        ("x: b", {"Delta": MANY}, "", "13 values of Delta beside x: b", "8 values as colour"),
        (
            "x: b",
            {"Delta": TIMES, "kappa": KAPPAS, "period": "[2 um, 3 um]"},
            "",
            "2 values of permeability beside x: b, colour: Delta, panel: period",
            "one of them, such as at: {permeability: 3e-05 m/s}, or permeability as",
        ),
        ("x: study", {}, ".x", '"study"', "an axis of study mine: period"),
        ("", {"b": "500 s/mm^2"}, "", "no axis with several numbers", "a study over b"),
        ("axis: b", {}, ".axis", "unknown key", "colour"),
    ],
)
def test_what_cannot_be_shown_is_refused(read, figure, study, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(f"kind: signals, studies: mine, {figure}".rstrip(", "), mine=study)
    (message,) = str(refused.value).splitlines()
    assert f"figures.my-own_1{place}: found " in message
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


FOUR: dict[str, str] = {"Delta": TIMES, "kappa": KAPPAS, "period": "[2 um, 3 um]"}


@pytest.mark.parametrize(
    ("at", "places"),
    [
        ("{permeability: 0.05 um/ms}", {"permeability": 1}),
        ("{Delta: 20 ms, period: 3 um}", {"Delta": 2, "period": 1}),
        # An axis with one value has that one.
        ("{direction: [2, 0], Delta: 5 ms}", {"direction": 0, "Delta": 0}),
        ('{direction: "1,0", b: 0.5 ms/um2}', {"direction": 0, "b": 1}),
    ],
)
def test_one_value_of_an_axis_is_picked(read, at, places):
    config = read(f"kind: signals, studies: mine, at: {at}", mine=FOUR)
    found = settings(config)
    assert found["at"] == {"mine": places}
    shown = {found["x"], found["colour"], found["panel"]} - {""}
    assert shown == {"b", "Delta", "permeability", "period"} - set(places)


def test_a_value_is_found_in_each_of_the_studies(read):
    other = {**FOUR, "Delta": "[20 ms, 30 ms]", "period": "2 um"}
    figure = "kind: signals, studies: [mine, other], at: {Delta: 20 ms, period: 2 um}"
    assert settings(read(figure, mine=FOUR, other=other))["at"] == {
        "mine": {"Delta": 2, "period": 0},
        "other": {"Delta": 0, "period": 0},
    }


@pytest.mark.parametrize(
    ("keys", "place", "found", "accepted"),
    [
        ("at: {Delta: 6 ms}", ".at.Delta", '"6 ms", no value of Delta in study mine',
         "one of 5 ms, 10 ms, 20 ms"),
        ("at: {permeability: 4e-5 m/s}", ".at.permeability", "no value", "3e-05 m/s, 5e-05 m/s"),
        ("at: {b: 500}", ".at.b", "a bare number", '"850 s/mm^2"'),
        ("at: {b: 600 s/mm^2}", ".at.b", "no value of b", "0 s/mm^2, 500 s/mm^2, 900 s/mm^2"),
        ("at: {b: [500]}", ".at.b", "500", "a b-value with its unit"),
        ("at: {direction: [0, 1]}", ".at.direction", "[0, 1], no value of dir", "one of [1, 0]"),
        ("at: {direction: east}", ".at.direction", '"east", no value of dir', "one of [1, 0]"),
        ("at: {direction: }", ".at.direction", "nothing, no value of dir", "one of [1, 0]"),
        ("at: {direction: [0, 0]}", ".at.direction", "[0, 0], no value of dir", "one of [1, 0]"),
        ("at: {perod: 2 um}", ".at.perod", '"perod" (did you mean "period"?)', "period, perm"),
        ("at: {study: mine}", ".at.study", '"study"', "an axis of study mine"),
        ("at: Delta", ".at", '"Delta"', "a mapping from axes to one value"),
        ("at: {Delta: 5 ms}, x: Delta", ".x", "Delta, of which at picks one value", "b, perm"),
        ("models: R3", ".models", '"R3"', "models of study mine: reference, R0, R2"),
        ("models: [R0, R0]", ".models[1]", "R0 a second time", "each value once"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_a_study_is_refused(read, keys, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(f"kind: signals, studies: mine, {keys}", mine={**FOUR, "period": "2 um"})
    message = str(refused.value).splitlines()[0]
    assert f"figures.my-own_1{place}: found " in message
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_models_are_chosen(read):
    config = read("kind: signals, studies: mine, models: [reference, R2]")
    assert settings(config)["models"] == ("reference", "R2")
    figure = "kind: signals, studies: [mine, other], models: R2"
    with pytest.raises(ConfigError, match="models: found R2, none of which study other has"):
        read(figure, mine={}, other={"models": "[reference, R0]"})
    with pytest.raises(ConfigError, match="models: found reference, accepted: models whose errors"):
        read("kind: errors, studies: mine, models: reference")


def test_models_that_are_chosen_count_as_maps(read):
    times = {"Delta": TIMES, "period": "{start: 1 um, stop: 2 um, num: 7}"}
    figure = "kind: errors, studies: mine, map: [b, Delta], models: [reference, R2]"
    assert settings(read(figure, mine=times))["panel"] == "period"


@pytest.mark.parametrize(
    ("figure", "study", "x", "y", "panel"),
    [
        ("", {"Delta": TIMES}, "b", "", ""),
        ("map: [Delta, b]", {"Delta": TIMES}, "Delta", "b", ""),
        ("map: [b, Delta]", {"Delta": TIMES, "kappa": KAPPAS}, "b", "Delta", "permeability"),
    ],
)
def test_errors_find_their_places(read, figure, study, x, y, panel):
    found = settings(read(f"kind: errors, studies: mine, {figure}".rstrip(", "), mine=study))
    assert (found["x"], found["y"], found["panel"]) == (x, y, panel)


@pytest.mark.parametrize(
    ("figure", "study", "place", "found", "accepted"),
    [
        ("", {"models": "[R0, R2]"}, ".studies", "the models R0, R2", "one with reference"),
        ("", {"models": "[reference]"}, ".studies", "the models reference", "and others"),
        ("map: [b]", {}, ".map", "", "a list of two axes"),
        ("map: [b, b]", {}, ".map", "b twice", "two different axes"),
        ("map: [B, Delta]", {"Delta": TIMES}, ".map", '"B" (did you mean "b"?)', "study mine"),
        ("map: [model, b]", {}, ".map", '"model"', "an axis of study mine"),
        ("map: [b, Delta]", {}, ".map", "Delta with one value", "several values: b"),
        ("map: [b, delt]", {}, ".map", '"delt" (did you mean "delta"?)', "an axis of study mine"),
        ("map: [b, direction]", {"directions": "[[1, 0], [0, 1]]"}, ".map", "no numbers", "b"),
        ("x: b, map: [b, Delta]", {"Delta": TIMES}, ".x", "x beside map", "no such key"),
        (
            "map: [b, Delta]",
            {"Delta": TIMES, "period": "{start: 1 um, stop: 2 um, num: 7}"},
            ".map",
            "14 maps, one of each model for each value of period",
            "at most 12",
        ),
    ],
)
def test_errors_that_cannot_be_shown_are_refused(read, figure, study, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(f"kind: errors, studies: mine, {figure}".rstrip(", "), mine=study)
    (message,) = str(refused.value).splitlines()
    assert f"figures.my-own_1{place}: found " in message
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_a_map_is_of_one_study(read):
    times = {"Delta": TIMES}
    figure = "kind: errors, studies: [mine, other], map: [b, Delta], panel: study"
    with pytest.raises(ConfigError, match="studies: found 2 studies, accepted: one study"):
        read(figure, mine=times, other=times)


ROUND = {"directions": "[[1, 0], [0, 1], [1, 1]]", "Delta": TIMES, "b": "500 s/mm^2"}
PERIODS = {"period": "[2 um, 3 um]", "Delta": TIMES, "b": "500 s/mm^2"}
CUMULANTS = {"models": "[reference, R0]\n    cumulants: true"}


@pytest.mark.parametrize(
    ("kind", "study", "found"),
    [
        ("angles", ROUND, {"colour": "Delta", "panel": ""}),
        ("angles", {**ROUND, "kappa": KAPPAS}, {"colour": "Delta", "panel": "permeability"}),
        ("orders", PERIODS, {"panel": "Delta"}),
        ("cumulants", {**CUMULANTS, "Delta": TIMES}, {"x": "Delta", "colour": ""}),
        (
            "cumulants",
            {**CUMULANTS, "Delta": TIMES, "kappa": KAPPAS},
            {"x": "Delta", "colour": "permeability"},
        ),
    ],
)
def test_other_kinds_find_their_places(read, kind, study, found):
    assert settings(read(f"kind: {kind}, studies: mine", mine=study)) == found


@pytest.mark.parametrize(
    ("figure", "study", "place", "found", "accepted"),
    [
        ("kind: angles", {}, ".studies", "study mine with 1 direction", "one with 3 or more"),
        ("kind: angles, at: {direction: [1, 0]}", ROUND, ".at.direction", "direction, along which",
         "other axes"),
        ("kind: angles, colour: direction", ROUND, ".colour", "direction, along which", "another"),
        ("kind: angles", {**ROUND, "kappa": KAPPAS, "period": "[2 um, 3 um]"}, "",
         "2 values of permeability beside colour: Delta, panel: period", "at: {permeability: 3e-"),
        ("kind: angles, sphere: true", ROUND, ".sphere", "directions in the plane", "in space"),
        ("kind: angles, sphere: true, colour: Delta", ROUND, ".colour", "beside sphere", "no such"),
        ("kind: orders", {}, ".studies", "study mine with one period", "several periods"),
        ("kind: orders", {**PERIODS, "models": "[R0]"}, ".studies", "the models R0", "reference"),
        ("kind: orders", {**PERIODS, "kappa": KAPPAS}, "", "2 values of permeability", "at: {perm"),
        ("kind: orders, models: reference", PERIODS, ".models", "reference", "whose errors"),
        ("kind: orders, x: period", PERIODS, ".x", 'unknown key "x"', "the keys"),
        ("kind: cumulants", {"Delta": TIMES}, ".studies", "without cumulants", "cumulants: true"),
        ("kind: cumulants, x: b", {**CUMULANTS, "Delta": TIMES}, ".x", '"b"', "an axis of study"),
        ("kind: cumulants", CUMULANTS, "", "no axis with several numbers", "a study over Delta"),
        ("kind: dispersion", {}, ".studies", 'unknown key "studies"', "the keys kind, bloch"),
    ],
)  # fmt: skip
def test_what_other_kinds_cannot_show_is_refused(read, figure, study, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(f"{figure}, studies: mine", mine=study)
    message = next(m for m in str(refused.value).splitlines() if f"my-own_1{place}: found " in m)
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


BLOCH = """bloch:
  {name}: {{kind: {kind}, geometry: cell, diffusivity: 2 um^2/ms, period: 2 um, {keys}}}
"""
BANDS = BLOCH.format(
    name="zone", kind="bands", keys="directions: [[1, 0]], pulses: 4, resolution: 0.4"
)


def test_a_run_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    disc = "{kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}"
    figures = "figures: {mine: {kind: dispersion, bloch: zone}}\n"
    path.write_text(f"geometries: {{cell: {disc}}}\n{BANDS}{figures}", encoding="utf-8")
    (problem,) = problems(load([path]))
    assert problem == (
        "figures.mine: found run zone of kind bands, accepted: a run of kind dispersion"
    )
    path.write_text(path.read_text().replace("bloch: zone}", "bloch: zoen}"), encoding="utf-8")
    with pytest.raises(ConfigError, match='mine.bloch: found "zoen" .did you mean "zone"'):
        load([path])


@pytest.mark.parametrize("kind", ["fit", "maps"])
def test_an_inversion_of_studies_is_no_fit_of_measured_signals(tmp_path, kind):
    path = tmp_path / "mine.yaml"
    study = STUDY.format(**{**DEFAULTS, "models": "[R0]", "directions": "[[1, 0], [0, 1]]"})
    path.write_text(
        "geometries: {cell: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}}\n"
        f"studies:\n  mine:{study}"
        "inversions: {rates: {kind: karger, studies: mine, data: R0}}\n"
        f"figures: {{mine: {{kind: {kind}, inversions: rates}}}}\n",
        encoding="utf-8",
    )
    (problem,) = problems(load([path]))
    assert problem == (
        "figures.mine: found inversion rates of studies, accepted: one of measured signals"
    )


def test_a_geometry_shows_its_cell_and_mesh(read):
    config = read("kind: geometry, geometries: cell")
    assert settings(config) == {"show": ("cell", "mesh")}
    assert config.figures["my-own_1"].geometries == ("cell",)


@pytest.mark.parametrize(
    ("figure", "place", "found", "accepted"),
    [
        ("geometries: cel", ".geometries", '"cel" (did you mean "cell"?)', "an entry of geom"),
        ("geometries: cell, show: sides", ".show", '"sides"', "one or more of cell, mesh"),
        ("geometries: cell, show: mseh", ".show", 'did you mean "mesh"', "one or more of cell"),
        ("geometries: cell, show: [mesh, mesh]", ".show[1]", "mesh a second time", "once"),
        ("studies: mine", ".geometries", "nothing", "a list of geometries"),
    ],
)
def test_geometries_that_cannot_be_shown_are_refused(read, figure, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(f"kind: geometry, {figure}")
    message = next(m for m in str(refused.value).splitlines() if f"my-own_1{place}: found " in m)
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_there_is_no_extension_of_a_cell_in_space(tmp_path):
    path = tmp_path / "mine.yaml"
    ball = "{kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.3}]}"
    figure = "{kind: geometry, geometries: ball, show: extension}"
    path.write_text(f"geometries: {{ball: {ball}}}\nfigures: {{mine: {figure}}}\n")
    with pytest.raises(ConfigError, match="mine.show: found extension of ball, a cell in space"):
        load([path])


def test_colours_are_the_same_in_all_studies(read):
    mine = {"Delta": TIMES}
    with pytest.raises(ConfigError, match="colour: found different values of Delta in"):
        read(
            "kind: signals, studies: [mine, other], colour: Delta",
            mine=mine,
            other={"Delta": "[5 ms, 10 ms, 30 ms]"},
        )


@pytest.mark.parametrize(
    ("figure", "place", "found", "accepted"),
    [
        ("kind: signls, studies: mine", ".kind", '"signls" (did you mean "signals"?)', "signals"),
        ("kind: signals, studies: mine, colr: b", ".colr", 'mean "colour"', "the keys studies"),
        ("kind: signals, studies: mien", ".studies", 'mean "mine"', "an entry of studies"),
        ("kind: signals", ".studies", "nothing", "a list of studies"),
        ("kind: signals, studies: [mine, mine]", ".studies[1]", "second time", "each value once"),
    ],
)
def test_what_is_no_figure_is_refused(read, figure, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(figure)
    (message,) = str(refused.value).splitlines()
    assert f"figures.my-own_1{place}: found " in message
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_a_figure_of_the_project_is_not_replaced(read):
    (problem,) = problems(read("kind: signals, studies: mine", name="kl23_fig6"))
    assert problem.startswith("figures.kl23_fig6: found a kind for a figure of the project")
    assert problem.endswith("accepted: another name, or no kind")


def test_a_name_without_a_kind_is_told_of_kinds(read):
    (problem,) = problems(read("studies: mine", name="mine"))
    said = (
        "figures.mine: found a figure that nobody draws, accepted: any name with a kind (signals, "
    )
    assert problem.startswith(said)
    assert "), or one of chl14_fig4_1, " in problem
