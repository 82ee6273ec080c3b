"""Orientations of fibres and directions all over the sphere in a configuration."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.config.domain import Study
from torrey.config.load import load
from torrey.config.problems import ConfigError
from torrey.gradients.orientations import Orientation, Watson
from torrey.gradients.rules import Sphere
from torrey.gradients.sweep import Product

HEAD = """
geometries:
  disc: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.4}], mesh: {refinements: 1}}
studies:
  one:
    geometry: disc
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    period: 10 um
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 5 ms, Delta: 25 ms}
    b: 1000 s/mm^2
    models: P4
"""


@pytest.fixture
def read(tmp_path):
    def study(*lines: str) -> Study:
        path = tmp_path / "one.yaml"
        path.write_text(HEAD + "".join(f"    {line}\n" for line in lines), encoding="utf-8")
        return load([path]).studies["one"]

    return study


def product(study: Study) -> Product:
    protocol = study.sweep.protocol
    assert isinstance(protocol, Product)
    return protocol


def test_a_fibre_is_turned_before_anything_else(read):
    study = read("directions: [[1, 0]]", "orientation: {axis: [2, 0, 0], roll: 30 deg}")
    assert study.material.in_space
    protocol = product(study)
    assert protocol.fibres is not None
    assert protocol.fibres.orientations == (Orientation((1.0, 0.0, 0.0), 30.0),)
    assert protocol.directions == ((1.0, 0.0, 0.0),)
    assert protocol.measurements[0].direction == (0.0, 0.0, 1.0)


def test_several_orientations_and_distributions_are_axes(read):
    several = read("directions: [[0, 0, 1]]", "orientation: [{axis: [0, 0, 1]}, {axis: [1, 0, 1]}]")
    assert several.sweep.shape == (1, 1, 2, 1, 1, 1, 1)
    spread = product(
        read("directions: [[0, 0, 1]]", "orientation: {watson: {kappa: 8, points: 30}}")
    )
    assert spread.fibres is not None
    assert spread.fibres.watson == Watson(8.0, points=30)
    assert len(spread.measurements) == 30


def test_directions_are_points_of_a_rule(read):
    study = read("directions: {lebedev: 11}", "spherical_harmonics: 4")
    protocol = product(study)
    assert protocol.sphere == Sphere("lebedev", 11)
    assert np.array(protocol.directions) == pytest.approx(Sphere("lebedev", 11).rule.points)
    assert study.sweep.harmonics == 4
    assert len(product(read("directions: {powder: 24}")).directions) == 24


def test_without_the_keys_nothing_is_another(read):
    study = read("directions: [[1, 0]]")
    assert not study.material.in_space
    assert set(product(study).to_plain()) == {
        "kind",
        "parameters",
        "encoding_kind",
        "encodings",
        "directions",
    }


SPACE = "directions: [[0, 0, 1]]"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["directions: {powder: 5}"], "directions.powder: .*from 10 to 1000"),
        (["directions: {lebedev: 13}"], "directions.lebedev: found 13, .* 11, 15"),
        (["directions: {lebedev: 7, powder: 30}"], "found powder and lebedev, accepted: exactly"),
        (["directions: {}"], "found neither powder nor lebedev"),
        (["directions: {sphere: 7}"], 'unknown key "sphere", accepted: the keys powder, lebedev'),
        ([SPACE, "orientation: {axis: [1, 0]}"], "orientation.axis: found 2 components"),
        ([SPACE, "orientation: {axis: [0, 0, 0]}"], "orientation.axis: .* length 0"),
        (
            [SPACE, "orientation: {axis: [0, 0, 1], roll: 30}"],
            r'n\.roll: found "30" \(a bare number\), .*an angle w',
        ),
        ([SPACE, "orientation: {roll: 30 deg}"], r"orientation\.axis: found nothing"),
        ([SPACE, "orientation: [{axis: [0, 0, 1]}, {axis: [0, 0, 2]}]"], r"orientation\[1\]"),
        ([SPACE, "orientation: [0, 0, 1]"], "a mapping, such as {axis"),
        ([SPACE, "orientation: []"], "an empty list"),
        ([SPACE, "orientation: {bingham: {}}"], 'unknown key "bingham"'),
        ([SPACE, "orientation: {watson: {kappa: -1}}"], "watson.kappa: .*from 0 to 1e"),
        ([SPACE, "orientation: {watson: {kappa: 1, points: 3}}"], "watson.points: .*from 18"),
        (["directions: [[1, 0]]", "spherical_harmonics: 4"], "directions within the cell"),
        (["directions: {powder: 10}", "spherical_harmonics: 4"], "at least 15"),
        (["directions: {powder: 20}", "spherical_harmonics: 3"], "an even number from 2"),
    ],
)
def test_what_is_refused(read, lines, message):
    with pytest.raises(ConfigError, match=message):
        read(*lines)
