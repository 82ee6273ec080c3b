"""What a figure or a table cannot show is refused when the configuration is read."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from torrey.bloch.runs import KINDS
from torrey.config import load
from torrey.figures import catalogue as figures
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles
from torrey.tables import catalogue as tables

PROJECT = Path(__file__).parents[3]

GEOMETRIES = """\
geometries:
  disc: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}
  other: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.2}]}
  stone: {kind: discs, cells: [{center: [0, 0], radius: 0.4}], interior: obstacle}
  water: {kind: discs, cells: []}
  ball: {kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.4}], interior: obstacle,
    mesh: {size: 0.3}}
  line: {kind: layers, thicknesses: [0.6, 0.4]}
  thick: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], layer: 0.04}
  thin: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}], layer: 0.02}
  packed: {kind: packing, box: 60 um, radius: {uniform: [3 um, 5 um]}, count: 40, gap: 0.2 um,
    seed: 1}
"""
# One run of every kind.
_MEDIUM = "geometry: stone, diffusivity: 1 um^2/ms, period: 1 um"
_KINDS = {
    "bands": "directions: [[1, 0]], pulses: 6, resolution: 0.1",
    "narrow-maps": "directions: [[1, 0], [1, 1]], turns: 0.4, diffusion_lengths: 0.3, "
    "resolution: 0.1",
    "narrow-signals": "directions: [[1, 0]], turns: [0.1, 0.2], diffusion_lengths: 0.3, "
    "resolution: 0.1",
    "sampling": "delta: 1 ms, Delta: 2 ms, turns: 3, pulses: 1",
    "schemes": "direction: [1, 0], gradient_length: 0.2, ratio: 2, pulses: [6], modes: [9], "
    "resolution: 0.1",
    "maps": "directions: [[1, 0], [1, 1]], gradient_lengths: 0.2, ratio: 2",
    "strengths": "directions: [[1, 0]], pulse_lengths: 0.2, strengths: [1, 2]",
    "spectrum": "direction: [1, 0], strengths: [1, 2], count: 4",
    "modes": "direction: [1, 0], gradient_lengths: 0.2, count: 4",
    "dispersion": "directions: [[1, 0]], times: 1 ms, frequencies: 10 Hz",
}
RUNS = "bloch:\n" + "".join(
    f"  {kind}: {{kind: {kind}, {_MEDIUM}, {keys}}}\n" for kind, keys in _KINDS.items()
)
# Of figures that show bloch runs.
SHOW_RUNS = [name for name, entry in CATALOGUE.items() if "bloch" in entry.reads]
# Of those that cut studies into panels; the others read tables as they are.
CUT = [
    name
    for name, entry in CATALOGUE.items()
    if entry.needs.studies is not None and name not in ("khm19_domain", "layer_limit")
]


def problems_of(read, *texts: str) -> list[str]:
    config = read("".join(texts))
    return [*figures.problems(config), *tables.problems(config)]


def test_all_that_the_project_draws_is_accepted():
    config = load([PROJECT / "config" / "default.yaml"])
    assert list(figures.problems(config)) == []
    assert list(tables.problems(config)) == []


# ---- what the catalogue says is what the drawing functions read ----


class AskedError(Exception):
    """What a drawing function asks for first, after the meshes."""


class Asking(dict[str, dict[str, str]]):
    def __missing__(self, kind: str) -> dict[str, str]:
        if kind == "mesh":
            return {}
        raise AskedError(kind)

    def get(self, kind, default=None):
        return self[kind]


@pytest.mark.parametrize("name", SHOW_RUNS)
def test_the_kind_of_a_run_is_the_file_that_is_read(name):
    entry = CATALOGUE[name]
    with pytest.raises(AskedError) as asked:
        getattr(import_module(entry.module), entry.function)(FigureFiles(Asking()))
    assert entry.needs.runs is not None
    assert (entry.needs.runs.kind,) == asked.value.args
    assert entry.needs.runs.kind in KINDS


@pytest.mark.parametrize("name", CUT)
def test_the_swept_quantities_are_those_that_panels_are_cut_along(name, monkeypatch):
    entry = CATALOGUE[name]
    module = import_module(entry.module)

    def cut(files, x, over=(), cells=None):
        raise AskedError((x,) if isinstance(x, str) else tuple(x), tuple(over))

    monkeypatch.setattr(module, "read_panels", cut)
    table = {str(i): f"{i}.nc" for i in range(entry.needs.least)}
    files = FigureFiles({kind: table for kind in entry.reads if kind != "mesh"})
    with pytest.raises(AskedError) as asked:
        getattr(module, entry.function)(files)
    x, over = asked.value.args
    assert entry.needs.studies is not None
    assert (entry.needs.studies.x or entry.needs.studies.each[:1]) == x
    assert set(entry.needs.studies.over) == set(over)


# ---- runs ----


@pytest.mark.parametrize("name", SHOW_RUNS)
@pytest.mark.parametrize("kind", KINDS)
def test_only_runs_of_the_right_kind_are_shown(read, name, kind):
    found = problems_of(read, GEOMETRIES, RUNS, f"figures:\n  {name}: {{bloch: [{kind}]}}\n")
    needed = CATALOGUE[name].needs.runs.kind  # type: ignore[union-attr]
    words = f"figures.{name}: found run {kind} of kind {kind}, accepted: a run of kind {needed}"
    assert (words in found) == (kind != needed)
    if kind == needed:
        # Of spheres alone.
        assert [text for text in found if "3 dimensions" not in text] == []


RUNS_REFUSED = [
    ("mmg20_fig2", "sampling", "sampling", "pulses: 1", "pulses: 2", "found 2 entries in bloch"),
    ("mmg20_fig5", "maps", "", "[1, 0], [1, 1]", "[1, 0]", "along [1, 0], accepted: [1, 1] among"),
    ("mmg20_figA2", "narrow-maps", "", "[1, 0], [1, 1]", "[1, 0]", "accepted: [1, 1] among them"),
    ("mmg20_fig11", "bands", "", "[[1, 0]]", "[[1, 1]]", "along [1, 1] first"),
    ("mmg20_figA3", "narrow-signals", "", "[[1, 0]]", "[[1, 0], [1, 1], [1, 2]]", "at most 2"),
    ("dispersion", "dispersion", "", "[[1, 0]]", "[[1, 0], [0, 1]]", "with 2 directions, accepted"),
    ("dispersion", "dispersion", "dispersion", "times: 1 ms", "times: 2 ms", "different times"),
    ("mmg20_fig7", "schemes", "", "", "", "in 2 dimensions, accepted: a cell in 3 dimensions"),
]


@pytest.mark.parametrize(("name", "kind", "first", "old", "new", "words"), RUNS_REFUSED)
def test_runs_that_a_figure_cannot_show_are_refused(read, name, kind, first, old, new, words):
    keys = _KINDS[kind]
    assert not old or keys.count(old) == 1
    run = f"  mine: {{kind: {kind}, {_MEDIUM}, {keys.replace(old, new) if old else keys}}}\n"
    shown = ", ".join(filter(None, (first, "mine")))
    found = problems_of(read, GEOMETRIES, RUNS, run, f"figures:\n  {name}: {{bloch: [{shown}]}}\n")
    assert len(found) == 1
    assert found[0].startswith(f"figures.{name}: found ")
    assert words in found[0]


def test_a_fifth_run_of_dispersion_is_refused(read):
    runs = "".join(
        f"  mine{i}: {{kind: dispersion, {_MEDIUM}, {_KINDS['dispersion']}}}\n" for i in range(5)
    )
    shown = ", ".join(f"mine{i}" for i in range(5))
    (found,) = problems_of(
        read, GEOMETRIES, RUNS, runs, f"figures:\n  dispersion: {{bloch: [{shown}]}}\n"
    )
    assert found.endswith("found 5 entries in bloch, accepted: 1 to 4")


# ---- studies ----

STUDY: dict[str, str] = {
    "geometry": "disc",
    "diffusivity": "{outside: 2 um^2/ms, inside: 1 um^2/ms}",
    "period": "6 um",
    "permeability": "1e-5 m/s",
    "waveform": "{kind: pgse, delta: 4 ms, Delta: 12 ms}",
    "b": "[0 s/mm^2, 500 s/mm^2, 1000 s/mm^2]",
    "directions": "[[1, 0]]",
    "models": "[reference, R0, R2]",
    "cumulants": "true",
}


def study(name: str, **changes: str) -> str:
    keys = {**STUDY, **changes}
    return f"  {name}: {{{', '.join(f'{key}: {value}' for key, value in keys.items() if value)}}}\n"


_PERIODS = "[4 um, 6 um]"
_PULSES = "{kind: pgse, delta: 4 ms, Delta: [12 ms, 20 ms]}"
_LONGER = "{kind: pgse, delta: [4 ms, 5 ms], Delta: 12 ms}"
_LAYER = {"diffusivity": "{outside: 2 um^2/ms, inside: 1 um^2/ms, layer: 0.1 um^2/ms}",
          "permeability": "0 m/s", "models": "[reference]", "cumulants": ""}  # fmt: skip
_STONE = {"geometry": "stone", "diffusivity": "{outside: 2 um^2/ms}", "permeability": "0 m/s"}
_OPEN = {"geometry": "disc", "diffusivity": STUDY["diffusivity"], "permeability": "1e-5 m/s"}
_MAP = {"period": _PERIODS, "permeability": "[1e-5 m/s, 2e-5 m/s]"}
# Studies that a figure shows, and then changes to the first that it cannot show, with the words.
SHOWN: dict[str, list[dict[str, str]]] = {
    "chl14_fig4_1": [{}],
    "chl14_fig4_2": [{"directions": "[[1, 0], [0, 1]]"}],
    "khm19_domain": [_STONE, {**_STONE, "geometry": "stone"}],
    "khm19_fig2": [{"period": _PERIODS}, {"period": _PERIODS, "geometry": "other"}],
    "khm19_fig3": [{"waveform": _PULSES}],
    "khm19_fig5": [{}, {"geometry": "other"}],
    "kl23_fig4": [{"period": _PERIODS}],
    "kl23_fig5": [{"period": _PERIODS}],
    "kl23_fig6": [{}, {"waveform": _PULSES}],
    "kl23_fig7": [{"waveform": _PULSES}],
    "kl23_fig8": [{"waveform": _PULSES}],
    "kl23_fig9": [{}],
    "layer_limit": [{"models": "[reference]"}, {"geometry": "thick", **_LAYER},
                    {"geometry": "thin", **_LAYER}],
    "projected_vs_order": [{"period": _PERIODS}, {"permeability": "[1e-5 m/s, 2e-5 m/s]"}, {}],
    "validity_map": [_MAP],
    "khm19_table_tensors": [{}],
    "khm19_table_kurtosis": [_STONE],
}  # fmt: skip
REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("chl14_fig4_1", {"period": _PERIODS}, "with 2 values of period, accepted: one value"),
    ("chl14_fig4_1", {"b": "", "q": "[0.1 rad/um]"}, "accepted: one with b"),
    ("khm19_domain", _OPEN, "with permeability above zero, accepted: one"),
    (
        "khm19_domain",
        {"permeability": "", "surface_relaxivity": "1e-5 m/s"},
        "with surface_relaxivity above zero, accepted: one",
    ),
    ("khm19_fig2", {"b": "[0 s/mm^2]", "period": "[1 um, 2 um]"}, "different values of period"),
    ("khm19_fig2", {"b": "[0 s/mm^2]", "models": "[reference, R0]"}, "different models"),
    ("khm19_fig3", {"waveform": _LONGER}, "with 2 values of delta"),
    ("khm19_fig5", {"waveform": _PULSES}, "different values of Delta"),
    ("kl23_fig4", {"b": "[1 s/mm^2, 2 s/mm^2, 3 s/mm^2]"}, "with 3 values of b"),
    ("kl23_fig6", {"permeability": "", "sigma0": "1e-5 m/s"}, "accepted: one with permeability"),
    ("kl23_fig7", {"period": _PERIODS}, "with 2 values of period, accepted: one value"),
    ("kl23_fig7", {"directions": "[[1, 0], [0, 1]]"}, "with 2 values of direction"),
    (
        "kl23_fig7",
        {"waveform": "{kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: [1, 2]}"},
        "with 2 values of cycles",
    ),
    ("kl23_fig7", {"cumulants": ""}, "accepted: one with cumulants: true"),
    ("kl23_fig8", {"models": "[R0, R2]"}, "accepted: reference among them"),
    ("kl23_fig8", {"models": "[reference]"}, "other models beside it"),
    ("kl23_fig9", {"models": "[reference, R0]"}, "accepted: lumped-R2 or R2 among them"),
    ("projected_vs_order", {}, "with 3 values of b"),
    ("validity_map", {"permeability": "1e-5 m/s"}, "one value of permeability, accepted: two"),
    ("layer_limit", {"geometry": "thin", **_LAYER}, "with a layer, accepted: first one with"),
    (
        "khm19_table_tensors",
        {"waveform": "{kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: 1}"},
        "with the waveform sine-ogse, accepted: pgse",
    ),
]


def shown_by(name: str, changes: dict[str, str] | None = None) -> Iterator[str]:
    """A configuration with a figure or a table of studies, the first with changes."""
    single_b = {"b": "500 s/mm^2"}
    yield GEOMETRIES + "studies:\n"
    for i, keys in enumerate(SHOWN[name]):
        needs = {**CATALOGUE, **tables.CATALOGUE}[name].needs.studies
        assert needs is not None
        swept = (*needs.each[i : i + 1], *needs.x, *needs.over)
        one = single_b if "b" not in swept and name != "kl23_fig7" else {}
        yield study(f"s{i}", **{**one, **keys, **((changes or {}) if i == 0 else {})})
    section = "figures" if name in CATALOGUE else "tables"
    yield f"{section}:\n  {name}: {{studies: [{', '.join(f's{i}' for i in range(i + 1))}]}}\n"


def test_every_figure_and_table_of_studies_is_tried():
    everything = {**CATALOGUE, **tables.CATALOGUE}
    assert set(SHOWN) == {name for name, entry in everything.items() if entry.needs.studies}


@pytest.mark.parametrize("name", SHOWN)
def test_studies_that_can_be_shown_are_accepted(read, name):
    assert problems_of(read, *shown_by(name)) == []


@pytest.mark.parametrize(("name", "changes", "words"), REFUSED)
def test_studies_that_cannot_be_shown_are_refused(read, name, changes, words):
    if name == "projected_vs_order":
        changes = {"b": STUDY["b"]}
    found = problems_of(read, *shown_by(name, changes))
    assert any(words in text for text in found), found
    assert all(", accepted: " in text for text in found)


def test_a_single_figure_is_of_a_single_study(read):
    text = "".join(shown_by("kl23_fig7")).replace("[s0]}", "[s0, s1]}")
    more = study("s1", waveform=_PULSES)
    text = text.replace("figures:", more + "figures:")
    (found,) = problems_of(read, text)
    assert found.endswith("found 2 entries in studies, accepted: 1")


# ---- cells, voxels and inversions ----

CELLS_REFUSED = [
    ("kl23_fig1", "disc, other", "found 2 entries in geometries, accepted: 1"),
    ("kl23_fig1", "water", "found geometry water without membranes"),
    ("kl23_fig3", "disc, line", "found geometry line in 1 dimensions"),
    ("mmg20_fig1", "disc", "found geometry disc without obstacles"),
    ("mmg20_fig3", "ball", "found geometry ball in 3 dimensions"),
]


@pytest.mark.parametrize(("name", "cells", "words"), CELLS_REFUSED)
def test_cells_that_cannot_be_drawn_are_refused(read, name, cells, words):
    found = problems_of(read, GEOMETRIES, f"figures:\n  {name}: {{geometries: [{cells}]}}\n")
    assert len(found) == 1
    assert words in found[0]


VOXEL = """\
voxels:
  v1: &voxel
    geometry: packed
    voxel: 40 um
    diffusivity: {outside: 3e-3 mm^2/s, inside: 3e-3 mm^2/s}
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 80 ms, Delta: 80 ms}
    direction: [1, 0]
    b: [0 s/mm^2, 250 s/mm^2]
    tolerance: 2e-3
  v2: *voxel
  v3: {<<: *voxel, voxel: 45 um}
figures:
"""


def test_one_voxel_is_shown(read):
    found = problems_of(read, GEOMETRIES, VOXEL, "  chl14_fig6_1: {voxels: [v1, v2]}\n")
    assert found == ["figures.chl14_fig6_1: found 2 entries in voxels, accepted: 1"]
    assert problems_of(read, GEOMETRIES, VOXEL, "  chl14_fig6_1: {voxels: [v3]}\n") == []


def test_a_voxel_may_be_its_whole_box(read):
    text = VOXEL.replace("    voxel: 40 um\n", "", 1)
    assert problems_of(read, GEOMETRIES, text, "  chl14_fig6_1: {voxels: [v1]}\n") == []


FITS = f"""\
studies:
{
    study(
        "s",
        models="[reference, R0]",
        cumulants="",
        b="{start: 0 s/mm^2, stop: 4 ms/um^2, num: 9}",
        directions="[[1, 0], [0, 1]]",
    )
}\
inversions:
  rates: {{kind: karger, studies: s, data: R0}}
  walls: {{kind: physical, studies: s, models: R2, parameters: [radius]}}
"""
FITS_REFUSED = [
    ("figures", "inversion_bias", "rates", "of kind karger, accepted: one of kind physical"),
    ("figures", "inversion_bias", "walls", "the parameters radius, accepted: kappa among them"),
    ("figures", "inversion_noise", "rates", "without noise, accepted: one with noise"),
    ("figures", "inversion_noise", "walls", "of kind physical, accepted: one of kind karger"),
    ("tables", "chl14_table5_1", "walls", "of kind physical, accepted: one of kind karger"),
]


@pytest.mark.parametrize(("section", "name", "fit", "words"), FITS_REFUSED)
def test_inversions_that_cannot_be_shown_are_refused(read, section, name, fit, words):
    (found,) = problems_of(read, GEOMETRIES, FITS, f"{section}:\n  {name}: {{inversions: {fit}}}\n")
    assert found.startswith(f"{section}.{name}: found inversion {fit}")
    assert words in found
