"""Paths: one for one result, the same wherever the result is the same."""

from __future__ import annotations

import re

import pytest
from support.configurations import B_VALUES, GOOD, edited, load_texts

from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout

STUDY = GOOD[GOOD.index("  mine:") : GOOD.index("figures:")]


@pytest.fixture
def layout_of(tmp_path):
    def layout_of(text: str) -> Layout:
        return Layout(load_texts(tmp_path, text))

    return layout_of


def with_second_study(edits: dict[str, str], text: str = GOOD) -> str:
    """A file with the good study a second time, edited."""
    second = STUDY.replace("mine:", "yours:", 1)
    for old, new in edits.items():
        assert old in second
        second = second.replace(old, new, 1)
    return text.replace("figures:", second + "figures:")


def test_a_reference_is_named_by_all_that_it_depends_on(layout_of):
    layout = layout_of(GOOD)
    study = layout.config.studies["mine"]
    assert layout.references(study)[0, 0, 0, 1, 0, 0] == (
        "results/reference/tissue/De2.5_Di1.2/L6_kappa0.08_pgse-4-20_b0.5_n1_0_tol1e-5.nc"
    )


def test_every_point_has_a_path_of_its_own(layout_of):
    text = edited("[[1, 0]]", "[[1, 0], [0, 1], [-1, 0], [1, 1e-9]]").replace(
        "8e-5 m/s", "8e-5 m/s, 8.000000001e-5 m/s"
    )
    layout = layout_of(text)
    study = layout.config.studies["mine"]
    references = layout.references(study)
    assert len(set(references.values())) == len(references) == 2 * 2 * 2 * 2 * 4
    assert set(layout.jobs) == set(references.values())


def test_paths_are_safe_and_below_the_results(layout_of):
    layout = layout_of(with_second_study({B_VALUES: "gradient: [300 mT/m]"}))
    studies = layout.config.studies.values()
    files = [*layout.jobs, *(file for study in studies for file in layout.study_files(study))]
    for file in files:
        assert re.fullmatch(r"results/[A-Za-z0-9_./-]+\.(nc|pdf|png)", file)
        assert all(len(part) < 200 and not part.startswith(".") for part in file.split("/"))


def test_a_material_is_named_by_its_relaxation_density_and_membranes(layout_of):
    keys = [
        "T2: {outside: infinite, inside: 40 ms}",
        "density: {outside: 1, inside: [0.8, 0]}",
        "permeability_factors: [1, 0.5]",
    ]
    second = with_second_study({"    period:": "\n".join(f"    {k}" for k in [*keys, "period:"])})
    layout = layout_of(second)
    assert sorted(layout.materials) == [
        ("tissue", "De2.5_Di1.2"),
        ("tissue", "De2.5_Di1.2_T2inf_40_rho1_0.8_0_mem1_0.5"),
    ]
    assert len(layout.jobs) == 2 * len(layout_of(GOOD).jobs)
    for path in layout.jobs:
        assert re.fullmatch(r"[A-Za-z0-9_./-]+\.nc", path)


def test_studies_share_the_points_that_they_have_in_common(layout_of):
    one = layout_of(GOOD).jobs
    assert layout_of(with_second_study({})).jobs == one
    both = layout_of(with_second_study({"12 um]": "18 um]"})).jobs
    assert len(both) == len(one) + len(one) // 2
    assert set(one) < set(both)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("geometry: tissue", "geometry: tissue2"),
        ("1.2e-3", "1.3e-3"),
        ("1e-5", "1e-4"),
        ("8e-5", "9e-5"),
        ("[[1, 0]]", "[[0, 1]]"),
        ("delta: [4 ms]", "delta: [3 ms]"),
    ],
)
def test_studies_that_differ_share_nothing(layout_of, old, new):
    tissue = GOOD[GOOD.index("  tissue:") : GOOD.index("  stones:")]
    text = GOOD.replace("  stones:", f"{tissue.replace('tissue', 'tissue2')}  stones:")
    jobs = layout_of(with_second_study({old: new}, text)).jobs
    assert len(jobs) == 2 * len(layout_of(GOOD).jobs)


def test_one_point_has_one_job_however_its_permeability_is_given(layout_of):
    kappa = edited("[6 um, 12 um]", "10 um")
    sigma0 = {"[6 um, 12 um]": "10 um", "permeability: [8e-5 m/s]": "sigma0: [8e-3 m/s]"}
    layout = layout_of(with_second_study(sigma0, kappa))
    assert len(layout.config.studies) == 2
    assert layout.jobs == layout_of(kappa).jobs


def test_without_a_reference_there_is_nothing_to_solve(layout_of):
    layout = layout_of(edited("[reference, R0, R2]", "[R0, R2]"))
    study = layout.config.studies["mine"]
    assert layout.jobs == {}
    assert layout.references(study) == {}
    assert study.homogenised == ("R0", "R2")
    assert not study.has_orders


@pytest.mark.parametrize(
    ("old", "new", "orders", "kurtosis"),
    [
        ("R0, R2]", "R0, R2]", True, False),
        ("[reference, R0, R2]", "reference", False, False),
        ("[6 um, 12 um]", "6 um", False, False),
        ("1000 s/mm^2]", "1000 s/mm^2, 2 ms/um^2]", True, True),
    ],
)
def test_fits_are_made_where_there_are_points_for_them(layout_of, old, new, orders, kurtosis):
    layout = layout_of(edited(old, new))
    study = layout.config.studies["mine"]
    assert study.has_orders == orders
    assert study.has_kurtosis == kurtosis
    files = layout.study_files(study)
    assert files[0] == "results/studies/mine/signals.nc"
    assert ("results/studies/mine/convergence.nc" in files) == orders


def test_cumulants_are_made_where_they_are_asked_for(layout_of):
    asked = edited("R0, R2]", "R0, R2]\n    cumulants: true")
    for text, wanted in ((GOOD, False), (asked, True)):
        layout = layout_of(text)
        study = layout.config.studies["mine"]
        assert study.cumulants == wanted
        files = layout.study_files(study)
        assert ("results/studies/mine/cumulants.nc" in files) == wanted


def test_materials_are_found_by_their_names(layout_of):
    layout = layout_of(with_second_study({"1.2e-3": "1.3e-3"}))
    assert sorted(layout.materials) == [("tissue", "De2.5_Di1.2"), ("tissue", "De2.5_Di1.3")]
    assert all(material.key() == name for (_, name), material in layout.materials.items())


def test_patterns_have_the_wildcards_that_rules_constrain():
    patterns = [
        value
        for name, value in vars(paths).items()
        if name.isupper() and isinstance(value, str) and "{" in value
    ]
    wildcards = {name for pattern in patterns for name in re.findall(r"{(\w+)}", pattern)}
    assert wildcards == {
        "geometry",
        "picture",
        "material",
        "point",
        "span",
        "study",
        "figure",
        "table",
        "inversion",
        "dictionary",
        "design",
        "block",
        "data",
        "fit",
        "chunk",
        "map",
        "bloch",
        "voxel",
        "domain",
        "kind",
        "film",
        "state",
        "slab",
        "tolerance",
        "model",
    }
    assert all(pattern.startswith("results/") for pattern in patterns)


def test_points_without_a_gradient_are_no_samples(layout_of):
    text = GOOD.replace("    models:", "    reference: {method: projected}\n    models:", 1)
    old = "b: [0.5 ms/um^2, 1000 s/mm^2]"
    assert old in text
    layout = layout_of(text.replace(old, "b: [0 ms/um^2, 0.1 ms/um^2, 1000 s/mm^2]"))
    study = layout.config.studies["mine"]
    samples = layout.samples(study)
    assert samples
    assert all(study.points()[index].q > 0.0 for index in samples)
    for (file, row), index in zip(layout.sampled(study), samples, strict=True):
        slab = layout.slab_jobs[file].slab
        assert list(slab.sweep.points().values())[row] == study.points()[index]


HELD = """\
inversions:
  water: {kind: physical, studies: [theirs], models: [R0]}
  other: {kind: physical, studies: [third], models: [R0]}
"""


def test_what_figures_on_request_alone_show_is_held_back(layout_of):
    one = STUDY.replace("[6 um, 12 um]", "6 um")
    studies = [one.replace("mine:", f"{name}:", 1) for name in ("yours", "theirs", "third")]
    text = GOOD.replace("figures:", "".join(studies) + "figures:") + HELD
    plain = layout_of(text)
    assert [study.name for study in plain.usual_studies()] == ["mine", "yours", "theirs", "third"]
    assert len(plain.own_files()) == 2
    asked = text.replace("[mine]}", "[mine, yours], on_request: true}")
    asked = asked.replace(
        "figures:\n", "figures:\n  fit: {inversions: [water], on_request: true}\n"
    )
    layout = layout_of(asked)
    assert [study.name for study in layout.usual_studies()] == ["third"]
    assert layout.own_files() == ["results/inversions/other/fit.nc"]
    # A table, or a figure of all, shows it too.
    layout = layout_of(asked + "tables:\n  orders: {studies: [yours]}\n")
    assert [study.name for study in layout.usual_studies()] == ["yours", "third"]


@pytest.mark.parametrize(
    ("tolerance", "of_samples"), [("2e-4", "0.001"), ("1e-3", "0.001"), ("0.005", "0.005")]
)
def test_samples_in_space_need_no_finer_mesh_than_a_usual_tolerance(
    layout_of, tolerance, of_samples
):
    layout = layout_of(IN_SPACE.replace("TOLERANCE", tolerance))
    (file,) = set(layout.samples(layout.config.studies["s"]).values())
    assert file.endswith(f"_tol{of_samples}.nc")
    assert layout.jobs[file].tolerance == float(of_samples)
    assert [job.study.tolerance for job in layout.slab_jobs.values()] == [float(tolerance)]


IN_SPACE = """
geometries:
  ball:
    kind: spheres
    cells: [{center: [0.5, 0.5, 0.5], radius: 0.3}]
studies:
  s:
    geometry: ball
    diffusivity: {outside: 2 um^2/ms, inside: 1 um^2/ms}
    period: 10 um
    permeability: 2e-5 m/s
    waveform: {kind: pgse, delta: 10 ms, Delta: 30 ms}
    b: [1000 s/mm^2]
    directions: [[1, 0, 0]]
    models: [reference]
    tolerance: TOLERANCE
"""
