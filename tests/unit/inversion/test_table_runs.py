"""Measured signals from their files to what is said of their fits, part by part."""

from __future__ import annotations

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from support.measured_files import AFFINE, shells, table_text, write_volumes

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.inversion import table_runs
from torrey.inversion.data_keys import content_digest, protocol_of, protocol_text
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.map_names import map_names
from torrey.inversion.measured import protocol_of_columns
from torrey.inversion.table_report import STATUS_FLAGS, gathered, write_maps
from torrey.inversion.table_runs import fit_part
from torrey.inversion.voxel_data import (
    ChangedDataError,
    data_group,
    read_measured,
    read_part,
)
from torrey.inversion.voxel_fit import STATUS, fit_table

VOXELS = {
    "a": (2.4, 0.4, 0.5, 15.0),
    "b": (2.0, 0.5, 0.6, 30.0),
    "c": (2.2, 0.4, 0.4, 60.0),
}
SETTINGS = FitSettings("karger", starts=1)


def read_table(folder, text, sigma=None):
    file = folder / "s.csv"
    file.write_text(text, encoding="utf-8")
    files = {"table": file}
    return read_measured(files, {"table": content_digest(file)}, shells(), sigma)


def written(folder, data):
    group, attributes = data_group(data)
    artifacts.write(folder / "signals.nc", group, Provenance("test"), attributes=attributes)
    return folder / "signals.nc"


def gather(folder, data, settings, parts):
    """Fit in parts, and what ``fit.nc`` then holds."""
    file, names = written(folder, data), []
    for part in range(parts):
        names.append(folder / f"{part}.nc")
        told: list[float] = []
        some = read_part(file, part, parts)
        group = fit_part(some, settings, progress=lambda done, _: told.append(done))  # noqa: B023
        assert told[-1:] == ([1.0] if len(some.signals) else [])
        artifacts.write(names[-1], group, Provenance("test"))
    group, attributes, remarks = gathered(names, read_part(file), settings)
    artifacts.write(folder / "fit.nc", group, Provenance("test"), attributes=attributes)
    return artifacts.open_dataset(folder / "fit.nc"), remarks


def test_a_protocol_comes_back_from_its_text():
    protocol = protocol_of_columns(
        [0, 1, 2], [4, np.nan, 4], [20, np.nan, 30], directions=[[0, 0, 0], [np.nan] * 3, [1, 1, 0]]
    )
    back = protocol_of(protocol_text(protocol))
    assert protocol_text(back) == protocol_text(protocol)
    assert back.waveforms == protocol.waveforms
    assert np.array_equal(back.which, protocol.which)


def test_settings_come_back_from_their_text():
    settings = FitSettings(
        "nexi",
        {"anisotropic": True},
        {"D_i": 2.0},
        {"t_ex": (2.0, 50.0)},
        intervals=True,
        compare=("smex",),
    )
    assert FitSettings.from_json(settings.to_json()) == settings


def test_a_table_is_fitted_in_any_number_of_parts(tmp_path):
    data, remarks = read_table(tmp_path, table_text(VOXELS, 1e-3, 500.0))
    assert remarks == []
    one, said = gather(tmp_path, data, SETTINGS, 1)
    assert said == ["of 3 voxels: 3 fitted"]
    # More parts than voxels: some have none.
    five, _ = gather(tmp_path, data, SETTINGS, 5)
    assert one.identical(five)
    assert one.voxel.values.tolist() == [*VOXELS]
    for i, name in enumerate(("D_e", "D_c", "f", "t_ex")):
        truth = np.array([x[i] for x in VOXELS.values()])
        assert np.all(np.abs(one[name] - truth) < 5.0 * one[f"{name}_error"])
    assert one.t_ex.attrs["units"] == "ms"
    assert one.D_e.attrs["units"] == "um2 ms-1"
    assert one.amplitude.values == pytest.approx(500.0, rel=0.01)


def test_small_tables_have_curves_of_their_profiles(tmp_path, monkeypatch):
    data, _ = read_table(tmp_path, table_text(VOXELS, 1e-3))
    asked = replace(SETTINGS, intervals=True)
    one, _ = gather(tmp_path, data, asked, 1)
    five, _ = gather(tmp_path, data, asked, 5)
    assert one.identical(five)
    assert one.t_ex_profile.dims == ("voxel", "profile_point")
    assert one.t_ex_profile.attrs["units"] == "ms"
    ends = one.t_ex_profile[:, [1, -2]].values
    np.testing.assert_allclose(ends, np.column_stack([one.t_ex_lower, one.t_ex_upper]))
    # Large ones have none, which only maps could show.
    monkeypatch.setattr(table_runs, "_DRAWN", 2)
    for parts in (1, 3):
        many, _ = gather(tmp_path, data, asked, parts)
        assert "t_ex_lower" in many
        assert "t_ex_profile" not in many


def test_what_cannot_be_fitted_is_marked_and_missing(tmp_path):
    text = table_text(VOXELS, 1e-3).replace("b,1000,8,15,", "b,1000,8,15,n/a #")
    data, remarks = read_table(tmp_path, text)
    assert remarks == ["1 of 3 voxels have signals that are no finite numbers"]
    found, said = gather(tmp_path, data, SETTINGS, 2)
    assert said == ["of 3 voxels: 2 fitted, 1 unusable signals"]
    assert np.isnan(found.t_ex).values.tolist() == [False, True, False]
    assert found.status.attrs["flag_meanings"].split()[found.status.values[1]] == "unusable_signals"
    assert len(STATUS) == len(STATUS_FLAGS)


def test_a_voxel_on_which_arithmetic_fails_is_marked_and_the_others_are_fitted(
    tmp_path, monkeypatch
):
    data, _ = read_table(tmp_path, table_text(VOXELS, 1e-3))
    bad = data.signals[1, 1]

    def fragile(model, protocol, signals, *rest, **options):
        if np.any(signals[:, 1] == bad):
            raise np.linalg.LinAlgError("Singular matrix")
        return fit_table(model, protocol, signals, *rest, **options)

    monkeypatch.setattr(table_runs, "fit_table", fragile)
    found, said = gather(tmp_path, data, SETTINGS, 1)
    assert said == ["of 3 voxels: 2 fitted, 1 failed"]
    assert np.isnan(found.t_ex).values.tolist() == [False, True, False]


def test_models_are_compared_by_their_criteria(tmp_path):
    rng = np.random.default_rng(0)
    b = np.tile([0.0, 1.0, 2.0, 3.0], 8)
    protocol = protocol_of_columns(
        b, 5.0, np.repeat([15.0, 60.0], 16), directions=rng.normal(size=(32, 3))
    )
    decay = np.exp(-0.9 * b) + rng.normal(0.0, 0.01, (1, 32))
    data = replace(
        read_table(tmp_path, table_text({"a": VOXELS["a"]}))[0], signals=decay, protocol=protocol
    )
    settings = FitSettings("karger-tensor", starts=1, compare=("karger",))
    found, _ = gather(tmp_path, data, settings, 1)
    assert found.compared.values.tolist() == ["karger-tensor", "karger"]
    weight = found.weight.values[0]
    assert weight.sum() == pytest.approx(1.0)
    assert weight[1] > 0.9  # the same misfit by five parameters fewer
    assert found.compared_aic.values[0, 0] == found.aic.values[0]


def test_a_file_that_was_changed_meanwhile_is_no_data(tmp_path):
    (tmp_path / "s.csv").write_text(table_text(VOXELS), encoding="utf-8")
    with pytest.raises(ChangedDataError, match=r"s\.csv was changed after this run began"):
        read_measured({"table": tmp_path / "s.csv"}, {"table": "0" * 32}, shells())


def read_volumes_of(folder, **options):
    return read_with_remarks(folder, **options)[0]


def read_with_remarks(folder, **options):
    files = {"nifti": folder / "dwi.nii.gz", "mask": folder / "mask.nii.gz"}
    files |= options.pop("files", {})
    digests = {name: content_digest(file) for name, file in files.items()}
    return read_measured(files, digests, options.pop("protocol", shells()), **options)


def test_volumes_become_voxels_and_maps_again(tmp_path):
    made = write_volumes(tmp_path, (3, 3, 2), 1, noise=1e-4)
    data = read_volumes_of(tmp_path)
    assert len(data) == made.inside.sum() < made.inside.size
    fitted, _ = gather(tmp_path, data, FitSettings("karger", starts=1, fixed={"D_e": 2.4}), 2)
    names = map_names(("D_c", "f", "t_ex"))
    paths = [tmp_path / f"{name}.nii.gz" for name in names]
    group = write_maps(tmp_path / "fit.nc", paths)
    assert list(group["map"].values) == list(names)
    for i, name in enumerate(("D_c", "f", "t_ex"), start=1):
        image = nibabel.load(tmp_path / f"{name}.nii.gz")
        assert np.allclose(image.affine, AFFINE, atol=1e-5)
        values = image.get_fdata()
        assert np.isnan(values[~made.inside]).all()
        assert values[made.inside] == pytest.approx(made.truth[made.inside][:, i], rel=0.05)
    status = nibabel.load(tmp_path / "status.nii.gz").get_fdata()
    assert np.array_equal(np.isfinite(status), made.inside)
    assert "D_e" not in fitted


def test_noise_is_a_number_or_a_map_and_volumes_may_be_left_out(tmp_path):
    made = write_volumes(tmp_path, (3, 3, 1), 1)
    noise = np.full((3, 3, 1), 4.0, dtype=np.float32)
    noise[1, 1, 0] = 7.0
    nibabel.save(nibabel.Nifti1Image(noise, AFFINE), tmp_path / "noise.nii.gz")
    data = read_volumes_of(tmp_path, files={"sigma": tmp_path / "noise.nii.gz"})
    assert data.sigma.tolist() == noise[made.inside].tolist()
    assert read_volumes_of(tmp_path, sigma=3.0).sigma.tolist() == [3.0] * len(data)
    kept = [0, 2, 3, 5, 8]
    some = read_volumes_of(tmp_path, protocol=shells().rows(kept), volumes=kept)
    assert np.array_equal(some.signals, data.signals[:, kept])


def test_a_mask_that_lies_elsewhere_than_the_volumes_is_remarked(tmp_path):
    made = write_volumes(tmp_path, (3, 3, 2), 1)
    assert read_with_remarks(tmp_path)[1] == []
    moved = np.array(AFFINE)
    for far, remarks in ((0.1, 0), (9.0, 1)):
        moved[0, 3] = AFFINE[0][3] + far
        mask = nibabel.Nifti1Image(made.inside.astype(np.uint8), moved)
        nibabel.save(mask, tmp_path / "mask.nii.gz")
        data, said = read_with_remarks(tmp_path)
        assert len(said) == remarks
        assert len(data) == made.inside.sum()
    assert "mask.nii.gz puts it up to 9 mm away" in said[0]


def test_a_mask_without_voxels_is_refused(tmp_path):
    write_volumes(tmp_path, (3, 3, 1), 1)
    empty = nibabel.Nifti1Image(np.zeros((3, 3, 1), dtype=np.uint8), AFFINE)
    nibabel.save(empty, tmp_path / "mask.nii.gz")
    with pytest.raises(InputError, match=r"mask\.nii\.gz without a voxel above zero"):
        read_volumes_of(tmp_path)
