"""Matrices, relaxation, densities and membranes are read, or refused with their place."""

from __future__ import annotations

import math

import pytest
from support.configurations import TENSOR, edited, line_of

from torrey.cell.material import Material, Radial


@pytest.mark.parametrize(
    ("inside", "first", "second"),
    [
        (TENSOR, "tensor", "tensor"),
        (f"[{TENSOR}]", "tensor", "tensor"),
        (f"[{TENSOR}, 1 um^2/ms]", "tensor", 1.0),
        (f"[1 um^2/ms, {TENSOR}]", 1.0, "tensor"),
        (f"[{TENSOR}, {TENSOR}]", "tensor", "tensor"),
        ("[1 um^2/ms]", 1.0, 1.0),
        ("[1 um^2/ms, 2 um^2/ms]", 1.0, 2.0),
    ],
)
def test_diffusivities_may_be_matrices(study, inside, first, second):
    tensor = ((1.5, -0.2), (-0.2, 1.0))
    expected = tuple(tensor if value == "tensor" else value for value in (first, second))
    material = study("inside: 1.2e-3 mm^2/s", f"inside: {inside}").material
    assert material.diffusivity == (2.5, *expected)
    assert Material.from_dict(material.to_dict()) == material


def test_the_outside_may_be_a_matrix(study):
    material = study("outside: 2.5e-3 mm^2/s", f"outside: {TENSOR}").material
    assert material.diffusivity == (((1.5, -0.2), (-0.2, 1.0)), 1.2, 1.2)
    assert material.key() == "De1.5x-0.2x-0.2x1_Di1.2"


def test_a_matrix_has_one_row_in_one_dimension(read):
    text = edited("geometry: tissue", "geometry: layers").replace("[[1, 0]]", "[1]")
    text = text.replace("inside: 1.2e-3 mm^2/s", 'inside: [["1.2e-3 mm^2/s"]]')
    assert read(text).studies["mine"].material.diffusivity == (2.5, ((1.2,),))


@pytest.mark.parametrize(
    ("line", "field", "values"),
    [
        ("T2: {outside: 80 ms, inside: 0.04 s}", "T2", (80.0, 40.0, 40.0)),
        ("T2: {outside: 80 ms, inside: [40 ms, 60 ms]}", "T2", (80.0, 40.0, 60.0)),
        ("T2: {outside: infinite, inside: [40 ms]}", "T2", (math.inf, 40.0, 40.0)),
        ("T1: {outside: 1 s, inside: [800 ms, infinite]}", "T1", (1000.0, 800.0, math.inf)),
        ("density: {outside: 1, inside: 0.8}", "density", (1.0, 0.8, 0.8)),
        ("density: {outside: 0, inside: [1, 8e-1]}", "density", (0.0, 1.0, 0.8)),
        ("permeability_factors: [1, 0]", "membranes", (1.0, 0.0)),
    ],
)
def test_relaxation_density_and_membranes(study, line, field, values):
    material = study("    period:", f"    {line}\n    period:").material
    assert material == Material((2.5, 1.2, 1.2), **{field: values})
    assert all(type(value) is float for value in getattr(material, field))


STORED = "waveform: {kind: stimulated-echo, delta: 4 ms, Delta: 90 ms, tau: 9 ms}"


def test_stored_magnetisation_needs_both_times(read, messages):
    T2, T1 = "T2: {outside: 80 ms, inside: 40 ms}", "T1: {outside: 1 s, inside: 1 s}"
    old = "waveform: {kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}"
    both = edited(old, f"{STORED}\n    {T2}\n    {T1}")
    material = read(both).studies["mine"].material
    assert (material.T2, material.T1) == ((80.0, 40.0, 40.0), (1000.0,) * 3)
    (said,) = messages(edited(old, f"{STORED}\n    {T2}"))
    assert "studies.mine.T2: found a waveform that stores magnetisation along z" in said
    assert "accepted: T1 of every compartment beside T2" in said
    # T1 alone leaves transverse magnetisation as it is; T2 alone is enough where nothing is stored.
    assert read(edited(old, f"{STORED}\n    {T1}")).studies["mine"].material.T2 == ()
    assert read(edited(old, f"{old}\n    {T2}")).studies["mine"].material.T1 == ()
    infinite = T2.replace("80 ms", "infinite").replace("40 ms", "infinite")
    assert read(edited(old, f"{STORED}\n    {infinite}")).studies["mine"].material.T1 == ()
    (said,) = messages(edited(old, f"{STORED}\n    T1: {{outside: 0.1 ms, inside: 0.1 ms}}"))
    assert "studies.mine.T1: found a storage of 810 times the longest T1" in said


def test_exact_cumulants_want_one_shape_at_all_strengths(messages):
    old = "waveform: {kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}"
    fexi = (
        "waveform: {kind: filter-exchange, delta: 3 ms, Delta: 10 ms, delta_filter: 4 ms, "
        "Delta_filter: 12 ms, b_filter: 900 s/mm^2, mixing_time: 20 ms}"
    )
    (said,) = messages(edited(old, f"{fexi}\n    cumulants: true"))
    assert "studies.mine.cumulants: found the waveform filter-exchange, whose shape" in said


def test_one_compartment_has_no_inside(read):
    text = edited("geometry: tissue", "geometry: stones").replace("8e-5", "0")
    text = text.replace(", inside: 1.2e-3 mm^2/s", "")
    text = text.replace("    period:", "    T2: {outside: 80 ms}\n    period:")
    assert read(text).studies["mine"].material == Material((2.5,), T2=(80.0,))


def test_one_membrane_has_one_factor(read):
    text = edited("thicknesses: [0.6, 0.4]", "thicknesses: [1]").replace("[[1, 0]]", "[1]")
    text = text.replace("geometry: tissue", "geometry: layers")
    text = text.replace(", inside: 1.2e-3 mm^2/s", "")
    text = text.replace("    period:", "    permeability_factors: 0.5\n    period:")
    assert read(text).studies["mine"].material == Material((2.5,), membranes=(0.5,))


def test_what_names_cannot_hold_is_rounded(study):
    line = "density: {outside: 0.33333333333333333, inside: 1}"
    material = study("    period:", f"    {line}\n    period:").material
    assert material.density[0] == 0.333333333333


# ---- what is refused ----

INDEFINITE = '[["1 um^2/ms", "2 um^2/ms"], ["2 um^2/ms", "1 um^2/ms"]]'
DEFINITE = '[["1 um^2/ms", "-0.2 um^2/ms"], ["-0.2 um^2/ms", "1 um^2/ms"]]'

# Diffusivities of two discs; the key below diffusivity, what was found and what is accepted.
DIFFUSIVITIES = [
    (f"outside: {INDEFINITE}, inside: 1 um^2/ms", "outside", "[[1.0, 2.0], [2.0, 1", "definite"),
    (f"outside: 1 um^2/ms, inside: {INDEFINITE}", "inside", "the matrix [[1.0, 2.0]", "definite"),
    (f"outside: 1 um^2/ms, inside: [{INDEFINITE}]", "inside[0]", "the matrix", "definite"),
    (f"outside: 1 um^2/ms, inside: [{DEFINITE}, {INDEFINITE}]", "inside[1]", "the matrix", "def"),
    (f"outside: 1 um^2/ms, inside: [1 um^2/ms, {INDEFINITE}]", "inside[1]", "the matrix", "defin"),
    (
        'outside: [["1 um^2/ms", "0 um^2/ms"], ["0.1 um^2/ms", "1 um^2/ms"]], inside: 1 um^2/ms',
        "outside",
        "[[1.0, 0.0], [0.1, 1.0]]",
        "a symmetric positive semi-definite matrix",
    ),
    ('outside: [["1 um^2/ms"]], inside: 1 um^2/ms', "outside", "a matrix of 1 rows", "2 rows"),
    ('outside: 1 um^2/ms, inside: [["1 um^2/ms"]]', "inside", "a matrix of 1 rows", "2 rows"),
    ('outside: [["1 um^2/ms", "0 ms"]], inside: 1 um^2/ms', "outside[0][1]", "a time", "a diff"),
    ("outside: 1 um^2/ms, inside: [[1 um^2/ms, 1]]", "inside[0][1]", '"1"', "a diffusivity"),
    (f"outside: 1 um^2/ms, inside: [{DEFINITE}, [1]]", "inside[1][0]", '"1"', "row by row"),
    (f"outside: [{DEFINITE}, {DEFINITE}], inside: 1 um^2/ms", "outside[0][0]", "list of 2", "a"),
    (f"outside: 1 um^2/ms, inside: {[DEFINITE] * 3}".replace("'", ""), "inside", "3 diff", "of 2"),
    ("outside: 1 um^2/ms, inside: [[]]", "inside[0]", "an empty list", "row by row"),
    ("outside: 1 um^2/ms, inside: -1 um^2/ms", "inside", '"-1 um^2/ms"', "at least zero"),
]

# A line of the good study, which has two discs; the key, what was found and what is accepted.
RELAXATION_AND_DENSITY = [
    ("T2: 80 ms", "T2", '"80 ms"', "a mapping, such as {outside: 80 ms, inside: 40 ms}"),
    ("T2:", "T2", "nothing", "a mapping"),
    ("T2: {outside: 80, inside: 40 ms}", "T2.outside", '"80"', "a relaxation time with its unit"),
    ("T2: {outside: 80 ms, inside: 0 ms}", "T2.inside", '"0 ms"', "above zero, or infinite"),
    ("T2: {outside: 80 ms, inside: [4 ms, 1 um]}", "T2.inside[1]", "(a length)", "a relaxation"),
    ("T2: {outside: 80 ms, inside: [4 ms, inf]}", "T2.inside[1]", '"inf"', "or infinite"),
    ("T2: {outside: 80 ms, inside: [[4 ms]]}", "T2.inside", "a list of 1", "a relaxation time"),
    ("T2: {outside: 80 ms}", "T2", "no key inside", '"80 ms", or infinite, or a list with one per'),
    ("T2: {inside: 40 ms}", "T2.outside", "nothing", "(of layer 0 where there are layers)"),
    ("T2: {outside: 80 ms, insid: 4 ms}", "T2.insid", '"inside"?', "the keys outside, inside"),
    (
        "T2: {outside: 80 ms, inside: [4 ms, 5 ms, 6 ms]}",
        "T2.inside",
        "3 relaxation times",
        "one value, or a list of 2: one per compartment inside",
    ),
    ("density: 1", "density", '"1"', "a mapping, such as {outside: 1, inside: 0.8}"),
    ("density: {outside: 1}", "density", "no key inside", "a number, at least 0, or a list"),
    ("density: {outside: -1, inside: 1}", "density.outside", '"-1"', "a number, at least 0"),
    ("density: {outside: 1, inside: [1, .inf]}", "density.inside[1]", ".inf", "at least 0"),
    ("density: {outside: 1, inside: 1 g}", "density.inside", '"1 g"', "a number, at least 0"),
    ("density: {outside: 0, inside: 0}", "density", "no density above zero", "at least one"),
    ("density: {outside: 1, inside: [1, 1, 1]}", "density.inside", "3 densities", "a list of 2"),
    ("permeability_factors: 1", "permeability_factors", "1 factor", "2, one per membrane"),
    ("permeability_factors: [1, 0, 1]", "permeability_factors", "3 factors", "2, one per membrane"),
    ("permeability_factors: [1, -1]", "permeability_factors[1]", '"-1"', "at least 0"),
    ("permeability_factors: [1, 5e-5 m/s]", "permeability_factors[1]", "5e-5 m/s", "numbers"),
    ("permeability_factors: []", "permeability_factors", "an empty list", "one per membrane"),
    (
        "permeability_factor: [1, 1]",
        "permeability_factor",
        '"permeability_factors"?',
        "T2, T1, density",
    ),
]


def assert_refused(messages, text, key, found, accepted):
    """Refuse one key of the study mine and name it, whose line begins with the first word of it."""
    line = line_of(text, f"{key.split('.')[0].split('[')[0]}:")
    place = f"mine.yaml:{line}: studies.mine.{key}: found "
    (message,) = [m for m in messages(text) if m.startswith(place)]
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


@pytest.mark.parametrize(("values", "key", "found", "accepted"), DIFFUSIVITIES)
def test_diffusivities_that_cannot_be_are_refused(messages, values, key, found, accepted):
    text = edited("outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s", values)
    assert_refused(messages, text, f"diffusivity.{key}", found, accepted)


@pytest.mark.parametrize(("line", "key", "found", "accepted"), RELAXATION_AND_DENSITY)
def test_relaxation_and_density_that_cannot_be_are_refused(messages, line, key, found, accepted):
    text = edited("    period:", f"    {line}\n    period:")
    assert_refused(messages, text, key, found, accepted)


@pytest.mark.parametrize(
    ("line", "key", "found"),
    [
        ("T2: {outside: 80 ms, inside: 40 ms}", "T2.inside", "a relaxation time inside"),
        ("density: {outside: 1, inside: 0.8}", "density.inside", "a density inside"),
        ("permeability_factors: 1", "permeability_factors", "1 factor"),
    ],
)
def test_obstacles_have_neither_insides_nor_membranes(messages, line, key, found):
    text = edited("geometry: tissue", "geometry: stones").replace(", inside: 1.2e-3 mm^2/s", "")
    text = text.replace("8e-5", "0").replace("    period:", f"    {line}\n    period:")
    assert_refused(messages, text, key, found, "no such key: the geometry has ")


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("T2: {outside: 80 ms, inside: 40 ms}", "T2"),
        ("density: {outside: 1, inside: 0.8}", "density"),
        ("permeability_factors: [1, 0.5]", "permeability_factors"),
        (
            "permeability_factors: [1, 0.5]\n    T2: {outside: 80 ms, inside: 40 ms}",
            "T2, permeability_factors",
        ),
    ],
)
def test_lumped_models_know_diffusion_alone(messages, lines, named):
    text = edited("R0, R2]", "lumped-R0, R2]")
    text = text.replace("    period:", f"    {lines}\n    period:")
    accepted = f"R0: lumped models know nothing of {named}"
    assert_refused(messages, text, "models[1]", "lumped-R0", accepted)


# ---- values by name ----

BY_NAME = [
    ("outside: 2 um^2/ms, inside: 1 um^2/ms, cell_2: 1.5 um^2/ms", (2.0, 1.0, 1.5)),
    ("outside: 2 um^2/ms, cell_1: 1 um^2/ms, cell_2: 1.5 um^2/ms", (2.0, 1.0, 1.5)),
    ("outside: 2 um^2/ms, inside: [1 um^2/ms, 3 um^2/ms], cell_1: 0 mm^2/s", (2.0, 0.0, 3.0)),
    (f"outside: 2 um^2/ms, inside: 1 um^2/ms, cell_1: {DEFINITE}", (2.0, "tensor", 1.0)),
]


@pytest.mark.parametrize(("text", "expected"), BY_NAME, ids=[text for text, _ in BY_NAME])
def test_a_name_goes_before_the_part_that_it_belongs_to(read, text, expected):
    edit = edited("outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s", text)
    material = read(edit.replace("8e-5 m/s", "0 m/s")).studies["mine"].material
    tensor = ((1.0, -0.2), (-0.2, 1.0))
    assert material.diffusivity == tuple(tensor if x == "tensor" else x for x in expected)


def test_times_and_densities_go_by_name_too(study):
    lines = "T2: {outside: 80 ms, inside: 40 ms, cell_1: infinite}\n    "
    lines += "T1: {outside: 1 s, cell_1: 2 s, cell_2: 3 s}\n    density: {outside: 1, inside: 1, "
    material = study("    period:", f"    {lines}cell_2: 0.5}}\n    period:").material
    assert (80.0, math.inf, 40.0) == material.T2
    assert material.T1 == (1000.0, 2000.0, 3000.0)
    assert material.density == (1.0, 1.0, 0.5)


@pytest.mark.parametrize(
    ("text", "place", "found", "accepted"),
    [
        ("outside: 2 um^2/ms, inside: 1 um^2/ms, cell_3: 1 um^2/ms", ".cell_3", "cell_3", "cell_1"),
        ("outside: 2 um^2/ms, cell_1: 1 um^2/ms", "", "nothing for cell_2", "inside or cell_2"),
        ("inside: 2 um^2/ms, cell_1: 1 um^2/ms", "", "nothing for outside", "for outside too"),
        ("outside: 2 um^2/ms, inside: 1 um^2/ms, cell_1: 1", ".cell_1", '"1"', "a diffusivity"),
        ("outside: 2 um^2/ms, inside: 1 um^2/ms, cell_1: [[-1 um^2/ms]]", ".cell_1", "-1", "defin"),
    ],
)
def test_names_that_mean_nothing_are_refused(messages, text, place, found, accepted):
    (said,) = messages(edited("outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s", text))
    assert f"studies.mine.diffusivity{place}: found" in said
    assert found in said.split(", accepted: ")[0]
    assert accepted in said.split(", accepted: ")[1]


def test_immobile_water_behind_a_permeable_membrane_is_refused(messages):
    old = "outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s"
    (said,) = messages(edited(old, "outside: 2 um^2/ms, inside: 1 um^2/ms, cell_2: 0 um^2/ms"))
    assert "studies.mine.permeability: found a value above zero at membrane_2" in said
    assert "a factor of 0 on it" in said


# ---- walls, coats, membranes that relax ----

WALL = ("    interior: water", "    exterior: wall")
COATED = ("    interior: water", "    coat: 0.02")
FILLED = "outside: 2.5e-3 mm^2/s, inside: 1.2e-3 mm^2/s"
KAPPA = "permeability: [8e-5 m/s]"


def test_water_within_walls_has_no_outside(read, messages):
    text = edited(*WALL).replace(KAPPA, "surface_relaxivity: [1e-5 m/s]")
    study = read(text.replace(FILLED, "inside: 1.2e-3 mm^2/s, cell_2: 1 um^2/ms")).studies["mine"]
    assert study.shape.compartment_names == ("cell_1", "cell_2")
    assert study.material == Material((1.2, 1.0))
    assert study.sweep.permeability_kind == "surface_relaxivity"
    (said,) = messages(text)
    assert "studies.mine.diffusivity.outside: found a diffusivity outside" in said
    assert "the geometry has no outside" in said


def test_membranes_relax_in_the_place_of_a_permeability(study):
    material = study(KAPPA, "surface_relaxivity: [1e-5 m/s, 2e-5 m/s]").material
    assert material == Material((2.5, 1.2, 1.2), walls=True)
    assert Material.from_dict(material.to_dict()) == material
    assert material.key() == "De2.5_Di1.2_walls"


def test_membranes_relax_beside_a_permeability(read):
    lines = f"{KAPPA}\n    surface_relaxivity: 1e-5 m/s\n    relaxivity_factors: [1, 0.5]"
    text = edited(KAPPA, lines).replace("reference, R0, R2", "reference, P2")
    found = read(text).studies["mine"]
    assert found.material == Material((2.5, 1.2, 1.2), relaxivity=(0.01, 0.005))
    assert Material.from_dict(found.material.to_dict()) == found.material
    assert found.sweep.permeability_kind == "permeability"


@pytest.mark.parametrize(
    ("lines", "place", "found"),
    [
        (f"{KAPPA}\n    surface_relaxivity: [1 um/ms, 2 um/ms]", ".surface_relaxivity", "2 values"),
        (f"{KAPPA}\n    relaxivity_factors: [1, 1]", ".relaxivity_factors", "relaxivity_factors"),
        (
            f"{KAPPA}\n    surface_relaxivity: 1e-5 m/s\n    relaxivity_factors: 1",
            ".relaxivity_factors",
            "1 factor",
        ),
        (
            f"{KAPPA}\n    sigma0: 1e-5 m/s\n    surface_relaxivity: 1e-5 m/s",
            "",
            "permeability and",
        ),
    ],
)
def test_relaxivities_that_cannot_be_are_refused(messages, lines, place, found):
    (said,) = [m for m in messages(edited(KAPPA, lines)) if f"studies.mine{place}: found" in m]
    assert found in said


def test_homogenised_models_know_one_of_both(messages):
    lines = f"{KAPPA}\n    surface_relaxivity: 1e-5 m/s"
    text = edited(KAPPA, lines).replace("reference, R0, R2", "reference, R0, P2")
    (said,) = messages(text)
    assert "models[1]: found R0, accepted: reference, or P0, P1" in said


def test_coats_have_a_radial_diffusivity(read, messages):
    D = f"{FILLED}, coat: {{radial: 0.1 um^2/ms, tangential: 0.5 um^2/ms}}, coat_2: 1 um^2/ms"
    found = read(edited(*COATED).replace(FILLED, D)).studies["mine"]
    assert found.material == Material((2.5, 1.2, 1.2, Radial(0.1, 0.5), 1.0))
    text = edited(*COATED).replace(FILLED, f"{D}, cell_1: {{radial: 1 um^2/ms}}")
    (said,) = messages(text)
    assert "studies.mine.diffusivity.cell_1.tangential: found nothing" in said
    text = edited(*COATED).replace(FILLED, D.replace("coat_2", "cell_2").replace("1 um^2/ms", "0"))
    assert messages(text)
    both = "{radial: 1 um^2/ms, tangential: 1 um^2/ms}"
    (said,) = messages(edited(*COATED).replace(FILLED, f"{D}, cell_1: {both}"))
    assert "studies.mine.diffusivity.cell_1: found a radial diffusivity of cell_1" in said
