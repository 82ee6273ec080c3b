"""Measured signals in a configuration and fits to them: what they mean, and what is refused."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from support.measured_files import CELL, shells, table_text, write_volumes

from torrey.config import ConfigError, load
from torrey.config.data_models import TABLE_MODELS
from torrey.inversion.table_models import MODELS

TEXT = (
    CELL
    + """\
data:
  rois: {table: s.csv}
  brain:
    nifti: dwi.nii.gz
    mask: mask.nii.gz
    acquisition: {table: rows.tsv}
    sigma: 5
    noise: rician
  again: {nifti: dwi.nii.gz, protocol: rows.tsv, sigma: mask.nii.gz}
  plane: {table: plane.csv, sigma: 0.01}
inversions:
  one: {data: rois, model: karger, profiles: true, starts: 2}
  two:
    data: brain
    model: nexi
    anisotropic: true
    fixed: {D_i: 2.2 um^2/ms}
    bounds: {t_ex: [2 ms, 300 ms], f: [0.1, 0.9]}
    compare: [smex, sandix]
  three: {data: plane, model: physical, study: cell, by: P4, parameters: [kappa, radius]}
"""
)
PLANE = "b (s/mm^2),delta (ms),Delta (ms),x,y,z,S\n" + "".join(
    f"{b},4,{D},{x},{y},0,1\n" for b in (0, 500, 900) for D in (10, 30) for x, y in ((1, 0), (0, 1))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("data")
    (made / "s.csv").write_text(table_text({"a": (2.4, 0.4, 0.5, 15.0)}), encoding="utf-8")
    (made / "plane.csv").write_text(PLANE, encoding="utf-8")
    write_volumes(made, (3, 4, 2), 6)
    rows = (made / "rows.tsv").read_text().splitlines()
    (made / "fewer.tsv").write_text("\n".join(rows[:-1]) + "\n")
    (made / "timeless.tsv").write_text("\n".join(row.rsplit("\t", 2)[0] for row in rows) + "\n")
    (made / "bare.tsv").write_text("b (s/mm^2)\n" + "".join(f"{i}00\n" for i in range(39)))
    for name, shape in (("flat", (3, 4, 1)), ("two", (3, 4, 2, 2))):
        image = nibabel.Nifti1Image(np.ones(shape, dtype=np.uint8), np.eye(4))
        nibabel.save(image, made / f"{name}.nii")
    filtered = "b (s/mm^2),b_filter (s/mm^2),tm (ms),S\n"
    (made / "filter.csv").write_text(
        filtered + "".join(f"{b},{f},{t},1\n" for b in (0, 900) for f in (0, 900) for t in (20, 99))
    )
    return made


def read(folder: Path, text: str = TEXT):
    file = folder / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return load([file])


def test_the_names_of_models_are_those_that_there_are():
    assert tuple(MODELS) == TABLE_MODELS


def test_data_say_what_was_measured(folder):
    config = read(folder)
    rois, brain = config.data["rois"], config.data["brain"]
    assert rois.files == (("table", str(folder / "s.csv")),)
    assert (rois.is_volume, rois.voxels, rois.has_sigma) == (False, 1, False)
    assert brain.shape == (3, 4, 2)
    assert (brain.noise, brain.sigma) == ("rician", 5.0)
    expected = shells(6)
    # Two ways to say the same.
    for protocol in (brain.protocol, config.data["again"].protocol):
        assert np.allclose(protocol.b, expected.b)
        moving = expected.b > 0
        assert np.allclose(protocol.Delta[moving], expected.Delta[moving])
        assert np.allclose(protocol.directions[moving], expected.directions[moving], atol=1e-7)
        assert np.isnan(protocol.TE).all()
    assert dict(config.data["again"].files)["sigma"] == str(folder / "mask.nii.gz")
    assert any("no echo times" in note for note in brain.notes)
    assert any("39 measurements" in note for note in brain.notes)


def test_echo_times_that_files_say_are_kept(folder):
    rows = (folder / "rows.tsv").read_text().splitlines()
    lines = [f"{rows[0]}\tTE (ms)", *(f"{row}\t{90 + i % 2}" for i, row in enumerate(rows[1:]))]
    (folder / "echo.tsv").write_text("\n".join(lines))
    protocol = read(folder, TEXT.replace("{table: rows.tsv}", "{table: echo.tsv}")).data["brain"]
    assert protocol.protocol.TE.tolist() == [90.0 + i % 2 for i in range(39)]


def test_volumes_that_are_skipped_are_in_the_file(folder):
    text = TEXT.replace("{table: rows.tsv}", "{table: rows.tsv, skip: [3, 7]}")
    brain = read(folder, text).data["brain"]
    assert len(brain.protocol) == 37
    assert brain.volumes == tuple(i for i in range(39) if i not in (3, 7))


def test_fits_say_what_is_fitted(folder):
    fits = read(folder).fits
    assert fits["one"].settings.intervals
    assert fits["one"].parameters == ("D_e", "D_c", "f", "t_ex")
    two = fits["two"].settings
    assert two.options == {"anisotropic": True}
    assert two.fixed == {"D_i": 2.2}
    assert two.bounds == {"t_ex": (2.0, 300.0), "f": (0.1, 0.9)}
    assert (two.noise, two.compare) == ("rician", ("smex", "sandix"))
    assert fits["two"].parameters == ("D_e_par", "D_e_perp", "f", "t_ex")
    three = fits["three"]
    assert (three.study, three.parameters) == ("cell", ("kappa", "radius"))
    assert three.settings.options["known"] == {"kappa": 0.05, "D_e": 2.5, "D_c": 1.5}


def test_voxels_are_shared_by_jobs(folder):
    assert read(folder).fits["one"].chunks == 1
    assert read(folder, TEXT.replace("starts: 2", "chunks: 7")).fits["one"].chunks == 7


REFUSED = {
    # Of the data.
    "nothing": ("rois: {table: s.csv}", "rois: {}", "data.rois", "exactly one of table, nifti"),
    "both": ("{table: s.csv}", "{table: s.csv, nifti: a}", "data.rois", "table and nifti"),
    "no such table": ("s.csv}", "no.csv}", "data.rois.table", "No such file"),
    "a table and a mask": ("s.csv}", "s.csv, mask: m}", "data.rois.mask", "beside a table"),
    "unknown key": ("s.csv}", "s.csv, maks: m}", "data.rois.maks", 'did you mean "mask"'),
    "wrong noise": ("noise: rician", "noise: pink", "brain.noise", "gaussian or rician"),
    "no sigma": ("    sigma: 5\n", "", "data.brain.sigma", "do not tell noise from signal"),
    "sigma below zero": ("sigma: 5", "sigma: -5", "brain.sigma", "a number above 0"),
    "sigma is no file": ("sigma: 5", "sigma: five", "brain.sigma", "No such file"),
    "sigma of a table": ("s.csv}", "s.csv, sigma: a}", "rois.sigma", "or a column sigma"),
    "no volumes": ("dwi.nii.gz\n", "no.nii\n", "brain.nifti", "No such file"),
    "a text": ("dwi.nii.gz\n", "rows.tsv\n", "brain.nifti", "no NIfTI file"),
    "fewer rows": ("{table: rows.tsv}", "{table: fewer.tsv}", "brain.nifti", "39 volumes"),
    "wrong skip": ("rows.tsv}\n", "rows.tsv, skip: [99]}\n", "acquisition", "skip = 99"),
    "a mask of another shape": ("mask: mask.nii.gz", "mask: flat.nii", "brain.mask", "3 x 4 x 1"),
    "a mask of two": ("mask: mask.nii.gz", "mask: two.nii", "brain.mask", "2 volumes"),
    "no protocol": (
        "    acquisition: {table: rows.tsv}\n",
        "",
        "data.brain",
        "exactly one of protocol, acquisition",
    ),
    "no times": ("{table: rows.tsv}", "{table: timeless.tsv}", "brain.waveform", "delta and Delta"),
    "a protocol and a waveform": (
        "protocol: rows.tsv",
        "protocol: rows.tsv, waveform: {kind: pgse, delta: 1 ms, Delta: 9 ms}",
        "again.waveform",
        "no such key beside a protocol",
    ),
    # Of the fits.
    "no such data": ("data: rois", "data: roi", "inversions.one.data", 'did you mean "rois"'),
    "no such model": ("model: karger", "model: kargr", "one.model", "karger, karger-tensor"),
    "no model": ("model: karger, ", "", "one.model", "karger, karger-tensor"),
    "starts": ("starts: 2", "starts: 0", "one.starts", "1 to 100"),
    "chunks": ("starts: 2", "chunks: 0", "one.chunks", "1 to 1000"),
    "an option of others": ("starts: 2", "anisotropic: true", "one.anisotropic", "no options"),
    "a key of cells": ("starts: 2", "by: R2", "one.by", "no such key with karger"),
    "fixed": ("starts: 2", "fixed: {D_x: 1 um^2/ms}", "one.fixed.D_x", "D_e, D_c, f or t_ex"),
    "fixed without unit": ("D_i: 2.2 um^2/ms", "D_i: 2.2", "two.fixed.D_i", "with its unit"),
    "fixed share": ("fixed: {D_i: 2.2 um^2/ms}", "fixed: {f: 1.5}", "two.fixed.f", ": 0 to 1"),
    "fixed no mapping": ("fixed: {D_i: 2.2 um^2/ms}", "fixed: D_i", "two.fixed", "a mapping"),
    "a wrong unit": ("[2 ms, 300 ms]", "[2 um, 300 um]", "t_ex[0]", "a time with its unit"),
    "one bound": ("[2 ms, 300 ms]", "[2 ms]", "bounds.t_ex", "the least and the most"),
    "bounds in no order": ("[2 ms, 300 ms]", "[300 ms, 2 ms]", "bounds.t_ex", "a lower and"),
    "a share in per cent": ("f: [0.1, 0.9]", "f: [10, 90]", "bounds.f", "0 to 1"),
    "bounds of a cell in no order": ("[kappa, radius]}",
                              "[kappa, radius], bounds: {radius: [0.4, 0.3]}}",
                              "three.bounds.radius", "a lower and"),
    "no number": ("f: [0.1, 0.9]", "f: [little, much]", "bounds.f[0]", "a number"),
    "compared with itself": ("[smex, sandix]", "[nexi]", "compare[0]", "other models"),
    "compared twice": ("[smex, sandix]", "[smex, smex]", "compare[1]", "each value once"),
    "other rows": ("[smex, sandix]", "[karger]", "compare[0]", "criteria compare fits"),
    "no filter": ("model: karger", "model: fexi-axr", "inversions.one", "b_filter or mixing_time"),
    "too few rows": ("model: karger", "model: karger-tensor", "inversions.one", "direction"),
    "no times to fit": ("s.csv}", "filter.csv}", "inversions.one", "delta"),
    "no study": ("study: cell", "study: cel", "three.study", 'did you mean "cell"'),
    "no radius": ("kind: discs, cells: [{center: [0.5, 0.5], radius: 0.4}]",
                  "kind: layers, dimension: 2, thicknesses: [0.4, 0.6]", "three", "disc"),
    "no such parameter": ("[kappa, radius]", "[kapa]", "three.parameters[0]", "one or more of"),
    "no such model of a cell": ("by: P4", "by: R99", "three.by", "R0, R1"),
    "two cells": ("5e-5 m/s", "[5e-5 m/s, 6e-5 m/s]", "three.study", "one permeability"),
    "means over directions": ("data: plane", "data: rois", "three.data", "a direction in each"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(folder, old, new, place, said):
    assert old in TEXT
    with pytest.raises(ConfigError) as error:
        read(folder, TEXT.replace(old, new, 1))
    lines = [line for line in str(error.value).splitlines() if place in line]
    assert any(said in line for line in lines), str(error.value)
    assert "c.yaml:" in str(error.value)


FIGURES = {
    "maps of a table": ("fit_maps: {inversions: one}", "found inversion one of a table"),
    "measured for studies": ("inversion_bias: {inversions: one}", "one of measured signals"),
    "of a study": ("fit_estimates: {inversions: old}", "old of studies"),
}
OLD = "  old: {kind: physical, studies: ref, models: R0}\n"
REF = "  ref: {geometry: disc, diffusivity: {outside: 2.5 um^2/ms, inside: 1.5 um^2/ms}, \
period: 5 um, permeability: 5e-5 m/s, waveform: {kind: pgse, delta: 4 ms, Delta: 10 ms}, \
b: 1 ms/um^2, directions: [[1, 0]], models: [reference]}\ndata:\n"


@pytest.mark.parametrize(("figure", "said"), FIGURES.values(), ids=FIGURES)
def test_figures_of_other_inversions_are_refused(folder, figure, said):
    from torrey.figures.catalogue import problems

    text = TEXT.replace("data:\n", REF, 1) + OLD
    assert list(problems(read(folder, f"{text}figures: {{}}\n"))) == []
    (found,) = problems(read(folder, f"{text}figures:\n  {figure}\n"))
    assert said in found
