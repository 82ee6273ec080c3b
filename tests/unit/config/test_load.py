"""A good configuration is understood completely; its schema and its import are kept in check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from support.configurations import B_VALUES, GOOD, TENSOR, Yaml12Loader, edited

from torrey.config import load
from torrey.config.schema import json_schema, schema_text
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.gradients.waveforms import Pgse

CONFIG = Path(__file__).parents[3] / "config"


def test_a_study_is_read_in_internal_units(read):
    mine = read(GOOD).studies["mine"]
    assert mine.shape == Discs((Disc((0.30, 0.35), 0.21), Disc((0.72, 0.66), 0.17)))
    assert mine.mesh == MeshOptions(0.05, 4)
    assert mine.material.diffusivity == (2.5, 1.2, 1.2)
    assert mine.sweep.axes() == {
        "period": (6.0, 12.0),
        "permeability": (0.08,),
        "delta": (4.0,),
        "Delta": (12.0, 20.0),
        "b": (0.5, 1.0),
        "direction": ((1.0, 0.0),),
    }
    assert list(mine.sweep.axes()) == ["period", "permeability", "delta", "Delta", "b", "direction"]
    assert mine.models == ("reference", "R0", "R2")
    assert mine.tolerance == 1e-5


def test_points_are_the_product_of_the_lists(read):
    points = read(GOOD).studies["mine"].points()
    assert len(points) == 8
    assert list(points) == sorted(points)
    point = points[1, 0, 0, 1, 1, 0]
    assert (point.period, point.permeability, point.waveform) == (12.0, 0.08, Pgse(4.0, 20.0))
    assert point.b == pytest.approx(1.0)
    assert len({point.key() for point in points.values()}) == 8


def test_sigma0_grows_with_the_period(study):
    mine = study("permeability: [8e-5 m/s]", "sigma0: 2e-2 m/s")
    assert mine.sweep.permeability_kind == "sigma0"
    assert list(mine.sweep.axes())[1] == "sigma0"
    kappas = {point.period: point.permeability for point in mine.points().values()}
    assert kappas == {6.0: 0.12, 12.0: 0.24}


@pytest.mark.parametrize(
    ("line", "kind", "q"),
    [
        ("q: 0.2 rad/um", "q", 0.2),
        ("gradient: [50 rad/(mm ms)]", "gradient", 0.2),
        ("gradient: 300 mT/m", "gradient", 0.2675221874 * 1.2),
    ],
)
def test_gradients_are_given_in_three_ways(study, line, kind, q):
    mine = study("b: [0.5 ms/um^2, 1000 s/mm^2]", line)
    assert mine.sweep.protocol.encoding_kind == kind
    assert [point.q for point in mine.points().values()] == pytest.approx([q] * 4, rel=1e-8)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{start: 1 um, stop: 0.002 mm, num: 3}", (1.0, 1.5, 2.0)),
        ("{start: 1 um, stop: 100 um, num: 3, scale: log}", (1.0, 10.0, 100.0)),
        ("{start: 3 um, stop: 1 um, num: 3, scale: linear}", (3.0, 2.0, 1.0)),
        ("7 um", (7.0,)),
    ],
)
def test_ranges_and_single_values_stand_for_lists(study, text, values):
    assert study("[6 um, 12 um]", text).sweep.periods == values


def test_directions_are_normalised(study):
    assert study("[[1, 0]]", "[[3, 4], [-1, 0]]").sweep.protocol.directions == (
        (0.6, 0.8),
        (-1.0, 0.0),
    )
    assert study("[[1, 0]]", "[0, 2]").sweep.protocol.directions == ((0.0, 1.0),)


def test_insides_may_differ(study):
    mine = study("inside: 1.2e-3 mm^2/s", "inside: [1.2 um^2/ms, 1.7 um^2/ms]")
    assert mine.material.key() == "De2.5_Di1.2_1.7"


def test_zero_b_and_zero_permeability_are_values(study):
    points = study("[0.5 ms/um^2, 1000 s/mm^2]", "[0 s/mm^2]").points()
    assert {point.q for point in points.values()} == {0.0}
    assert study("[8e-5 m/s]", "[0 m/s]").sweep.permeabilities == (0.0,)


def test_obstacles_and_layers(study, read):
    text = edited("geometry: tissue", "geometry: stones")
    text = text.replace(", inside: 1.2e-3 mm^2/s", "").replace("8e-5", "0")
    assert read(text).studies["mine"].material.diffusivity == (2.5,)
    text = edited("geometry: tissue", "geometry: layers").replace("[[1, 0]]", "[1]")
    mine = read(text).studies["mine"]
    assert mine.shape == Layers((0.6, 0.4))
    assert mine.sweep.protocol.directions == ((1.0,),)


def test_plain_numbers_may_be_written_in_any_way(study):
    for text in ("1e-5", "1.0e-5", "0.00001", '"1e-5"'):
        assert study("tolerance: 1e-5", f"tolerance: {text}").tolerance == 1e-5
    assert study("    tolerance: 1e-5\n", "").tolerance == 1e-4


def test_names_are_text(read):
    text = edited("  picture:", "  on:").replace("  plot:", "  1e3:")
    assert list(read(text).figures) == ["on", "1e3"]


def test_later_files_replace_entries(read):
    more = """\
geometries:
  layers: {kind: layers, thicknesses: [1]}
studies: # nothing here
figures:
  other: {geometries: [layers]}
"""
    config = read(GOOD, more)
    assert config.geometries["layers"].shape == Layers((1.0,))
    assert list(config.geometries) == ["tissue", "stones", "layers"]
    assert list(config.figures) == ["picture", "plot", "other"]
    assert "mine" in config.studies


def test_merge_keys_share_what_studies_have_in_common(read):
    text = edited("  mine:", "  mine: &mine")
    more = "  other: {<<: *mine, period: 3 um}\nfigures:"
    config = read(text.replace("figures:", more))
    assert config.studies["other"].sweep.periods == (3.0,)
    assert config.studies["other"].sweep.protocol == config.studies["mine"].sweep.protocol


@pytest.mark.parametrize("name", ["default.yaml", "minimal.yaml"])
def test_the_files_of_the_project_are_good(name):
    config = load([CONFIG / name])
    assert config.studies
    for study in config.studies.values():
        assert "reference" in study.models
        keys = {point.key(study.sweep.protocol.encoding_kind) for point in study.points().values()}
        assert len(keys) == len(study.points())


def test_default_studies_have_the_parameters_of_the_paper():
    studies = load([CONFIG / "default.yaml"]).studies
    kl23 = [study for name, study in studies.items() if name.startswith("kl23")]
    assert {study.material.key() for study in kl23} == {"De3_Di1.7"}
    fig4a = studies["kl23_fig4a"]
    periods = fig4a.sweep.periods
    assert (periods[0], periods[-1], len(periods)) == (1.0, 10.0, 13)
    assert fig4a.points()[12, 0, 0, 0, 0, 0].key() == "L10_kappa0.2_pgse-5-15_b0.85_n0_1"
    assert studies["kl23_fig4b"].sweep.axes()["b"] == (2.5,)
    assert studies["kl23_fig7"].sweep.axes()["Delta"] == tuple(range(10, 61, 5))
    assert len(studies["kl23_fig8"].points()) == 2 * 3 * 17


def test_the_schema_in_the_repository_is_that_of_the_models():
    assert (CONFIG / "schema.json").read_text(encoding="utf-8") == schema_text(), (
        "run: python -m torrey.config.schema > config/schema.json"
    )


RICH = edited("inside: 1.2e-3 mm^2/s", f"inside: [{TENSOR}, 1 um^2/ms]").replace(
    "    period:",
    "    T2: {outside: infinite, inside: [40 ms, 60 ms]}\n"
    "    density: {outside: 1, inside: 0.8}\n"
    "    permeability_factors: [1, 0.5]\n"
    "    period:",
)


@pytest.mark.parametrize(
    "text",
    [GOOD, RICH, *((CONFIG / name).read_text() for name in ("default.yaml", "minimal.yaml"))],
)
def test_good_files_satisfy_the_schema(text):
    jsonschema.validate(yaml.load(text, Yaml12Loader), json_schema())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[6 um, 12 um]", "6"),
        ("period:", "perid:"),
        ("kind: layers", "kind: cubes"),
        (B_VALUES, B_VALUES + "\n    q: 0.1 rad/um"),
        ("R0, R2]", "R0, P]"),
        ("8e-5 m/s", "-8e-5 m/s"),
        ("inside: 1.2e-3 mm^2/s", "inside: -1.2e-3 mm^2/s"),
        ("inside: 1.2e-3 mm^2/s", "inside: [[1 um^2/ms, 0]]"),
        ("    period:", "    T2: {outside: 80 ms, inside: 40}\n    period:"),
        ("    period:", "    density: {outside: 1, inside: -1}\n    period:"),
        ("    period:", "    permeability_factors: []\n    period:"),
    ],
)
def test_bad_files_do_not_satisfy_the_schema(old, new):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.load(edited(old, new), Yaml12Loader), json_schema())


def test_the_import_leaves_heavy_packages_alone():
    code = "import sys, torrey.config; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"scipy", "xarray", "pandas", "pint", "skfem", "gmsh"} & set(result.stdout.split())
