"""Files that a configuration names are regular, small and mean what they say."""

from __future__ import annotations

import pytest
from support.gradient_files import FILES, FSL, ONE_PGSE, with_gradients, write_files

from torrey.base import budgets
from torrey.base.errors import InputError
from torrey.gradients.acquisition import read_waveform

MODELS = "[reference, R0, R2]"


@pytest.mark.fault(
    "files of an acquisition that are devices, folders, too large or no text",
    "refused with the line that names them",
)
@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "acquisition: {bval: /dev/zero, bvec: dwi.bvec}",
            "/dev/zero: a device, a pipe or a socket",
        ),
        ('acquisition: {bval: "a\\0b", bvec: dwi.bvec}', "a\\x00b: a text that no file can have"),
        ('acquisition: {bval: "a\\ud800b", bvec: dwi.bvec}', "a\\ud800b: a text that no file can"),
        ("acquisition: {bval: ., bvec: dwi.bvec}", ".: Is a directory"),
        (f"acquisition: {{bval: {'x' * 400}, bvec: dwi.bvec}}", "File name too long"),
        ("acquisition: {bval: latin.bval, bvec: dwi.bvec}", "latin.bval: not a text in UTF-8"),
        ("acquisition: {bval: large.bval, bvec: dwi.bvec}", "large.bval: more than 2048 KiB"),
        ("acquisition: {bval: many.bval, bvec: dwi.bvec}", "many.bval: 30000 b-values"),
        (
            "acquisition: {bval: strong.bval, bvec: dwi.bvec}",
            "b = 1e+297 ms/um^2, accepted: 0, or from",
        ),
        ("acquisition: {bval: arabic.bval, bvec: dwi.bvec}", 'line 1 of arabic.bval: "١٠٠٠"'),
    ],
)
def test_files_that_cannot_be_meant_are_refused(messages, tmp_path, line, found):
    write_files(tmp_path)
    (tmp_path / "latin.bval").write_bytes(b"1000 \xe9")
    (tmp_path / "large.bval").write_bytes(b"0 " * (1024 * 1024 + 1))
    (tmp_path / "many.bval").write_bytes(b"0 " * 30_000)
    (tmp_path / "strong.bval").write_text("0 1e300 3000 850\n")
    (tmp_path / "arabic.bval").write_text("0 ١٠٠٠ 3000 850\n", encoding="utf-8")
    (message,) = messages(with_gradients(ONE_PGSE, line))
    assert found in message


def test_rows_of_a_scheme_share_their_waveforms(read, tmp_path):
    rows = "".join(f"1 0 0 0.0{i % 9 + 1} 0.02 0.01 0.06\n" for i in range(5_000))
    (tmp_path / "long.scheme").write_text(f"VERSION: 1\n{rows}")
    text = with_gradients("acquisition: {scheme: long.scheme}").replace(MODELS, "[R0]")
    sweep = read(text).studies["mine"].sweep
    assert len(sweep.protocol.measurements) == 5_000
    assert len({id(m.waveform) for m in sweep.protocol.measurements}) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("time (ms),g (mT/m)\n0,1\n1e300,1\n", "line 3 of w.csv: time = 1e+300 ms"),
        ("time (ms),g (mT/m)\n" + "".join(f"{i},0\n" for i in range(10_001)), "10001 samples"),
        ("time (ms),g (mT/m)\n0,1\n1,1e300\n", "line 3 of w.csv: a gradient = 2.67522e+296 rad"),
        ("t (ms),qx (rad/um),qy (rad/m)\n0,0,0\n1,1,1e9\n", "line 3 of w.csv: a wave number = "),
        ("time (ms),g (mT/m**(9**9**9))\n0,1\n1,1\n", "line 1 of w.csv: g in"),
        ("time (ms),g (mT/m)\n٠,1\n1,1\n", 'line 2 of w.csv: "٠"'),
    ],
)
def test_waveforms_that_cannot_be_meant_are_refused(tmp_path, text, found):
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_waveform(tmp_path / "w.csv")
    assert found in str(refusal.value)


def test_all_files_of_the_tests_are_far_below_the_limits():
    assert max(len(text) for text in FILES.values()) < budgets.MOST_FILE_BYTES / 1000
    assert FSL in with_gradients(ONE_PGSE, FSL)
