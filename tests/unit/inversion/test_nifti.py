"""NIfTI files: headers as nibabel writes them, and maps as nibabel reads them."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.inversion.nifti import header_of, header_text, read_header, read_volumes, write_map


def image(shape, kind=nibabel.Nifti1Image, dtype=np.int16):
    made = kind(np.arange(np.prod(shape)).reshape(shape).astype(dtype), np.diag([2, 2, 3, 1.0]))
    made.header.set_xyzt_units("mm", "sec")
    return made


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 6), (3, 4, 1, 6), (2, 3, 4, 1, 1)])
def test_a_header_says_the_shape(tmp_path, kind, ending, shape):
    file = tmp_path / f"a.{ending}"
    nibabel.save(image(shape, kind), file)
    header = read_header(file)
    assert header.grid == shape[:3]
    assert header.volumes == (shape[3] if len(shape) > 3 else 1)
    values, affine = read_volumes(file, volumes=True)
    assert values.shape == (*header.grid, header.volumes)
    assert np.array_equal(affine, np.diag([2, 2, 3, 1.0]))


def test_a_header_of_the_other_byte_order(tmp_path):
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_shape((7, 8, 9, 2))
    header["magic"] = b"n+1"
    (tmp_path / "a.nii").write_bytes(header.binaryblock + bytes(4))
    assert read_header(tmp_path / "a.nii").shape == (7, 8, 9, 2)


def header_with(dim) -> bytes:
    header = nibabel.Nifti1Header()
    header["dim"] = dim
    header["magic"] = b"n+1"
    return bytes(header.binaryblock)


BAD = {
    "empty": (b"", "no NIfTI file"),
    "a text": (b"b 0 1000\n" * 99, "no NIfTI file"),
    "cut off": (header_with([4, 3, 3, 3, 2, 1, 1, 1])[:300], "no NIfTI file"),
    "no gzip": (b"\x1f\x8b" + b"x" * 50, "it cannot be unpacked"),
    "cut gzip": (gzip.compress(header_with([4, 3, 3, 3, 2, 1, 1, 1]))[:40], "cannot be unpacked"),
    "a header alone": (
        header_with([4, 3, 3, 3, 2, 1, 1, 1])[:-4] + b"ni1\0",
        "without its image",
    ),
    "no dimension": (header_with([0, 3, 3, 3, 2, 1, 1, 1]), "dimensions"),
    "a negative one": (header_with([4, 3, -3, 3, 2, 1, 1, 1]), "dimensions"),
    "five": (header_with([5, 3, 3, 3, 2, 2, 1, 1]), "3 x 3 x 3 x 2 x 2 values"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_what_is_no_nifti_file_is_refused(tmp_path, content, message):
    file = tmp_path / "a.nii.gz"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_header(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no\.nii: No such file"):
        read_header(tmp_path / "no.nii")


def test_volumes_that_are_cut_off_are_refused(tmp_path):
    file = tmp_path / "a.nii"
    nibabel.save(image((5, 5, 5, 3)), file)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(InputError, match=r"a\.nii.*that is whole"):
        read_volumes(file, volumes=True)


def test_numbers_are_scaled_as_the_header_says(tmp_path):
    made = image((2, 2, 2))
    made.header.set_slope_inter(0.5, 10.0)
    nibabel.save(made, tmp_path / "a.nii.gz")
    values, _ = read_volumes(tmp_path / "a.nii.gz")
    assert [values.min(), values.max()] == [10.0, 13.5]


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_map_has_the_place_in_space_of_its_volumes(tmp_path, kind):
    made = image((3, 4, 2, 6), kind)
    tilted = np.array([[-2, 0.1, 0, 9], [0.1, 2, 0, -5], [0, 0, 3, 1], [0, 0, 0, 1.0]])
    made.set_sform(tilted, code=3)
    made.set_qform(tilted, code=1)
    nibabel.save(made, tmp_path / "a.nii.gz")
    header = header_of(header_text(tmp_path / "a.nii.gz"))
    values = np.random.default_rng(0).normal(size=(3, 4, 2))
    values[0] = np.nan
    for name in ("one", "two"):
        write_map(tmp_path / f"{name}.nii.gz", values, header)
    read = nibabel.load(tmp_path / "one.nii.gz")
    assert type(read) is kind
    assert np.allclose(read.affine, nibabel.load(tmp_path / "a.nii.gz").affine, atol=1e-6)
    assert [int(read.header[f"{form}_code"]) for form in ("sform", "qform")] == [3, 1]
    assert read.header.get_xyzt_units() == ("mm", "sec")
    assert read.get_data_dtype() == np.float32
    assert np.allclose(read.get_fdata(), values, atol=1e-6, equal_nan=True)
    # The same bytes whatever the name and the time.
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()
