"""Files appear whole or not at all, hold what was written, and are the same bytes twice."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray

from torrey.base import artifacts, seals
from torrey.base.artifacts import StorageError
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.base.seals import DamagedError
from torrey.base.stored import Variable

MADE = Provenance("test", {"x": 1.5}, "abc", {"in.nc": "def"})
TABLE = {
    "model": Variable(("model",), np.array(["reference", "R0"]), "", "reference or model"),
    "b": Variable(("b",), [0.0, 0.5, 1.0], "ms um-2", "b-value"),
    "signal": Variable(("model", "b"), np.arange(6.0).reshape(2, 3) / 7, "1", "signal"),
    "level": Variable((), np.int32(2), "1", "mesh", {"start_index": 0}),
    "used": Variable(("b",), [True, False, True], "1", "whether it was used"),
}
LEVEL = {"signal": Variable(("b",), np.array([1.0, 2.0]), "1", "signal on a finer mesh")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "table.nc"
    artifacts.write(path, TABLE, MADE, groups={"level1": LEVEL}, attributes={"title": "A table"})
    return path


def test_what_was_written_is_read(file):
    data = artifacts.read(file)
    assert list(data) == list(TABLE)
    assert list(data["model"]) == ["reference", "R0"]
    np.testing.assert_array_equal(data["signal"], TABLE["signal"].values)
    assert data["signal"].dtype == np.float64
    assert data["level"] == 2
    assert data["used"].tolist() == [1, 0, 1]
    assert artifacts.dimensions(file, "signal") == ("model", "b")


def test_groups_have_dimensions_of_their_own(file):
    assert artifacts.groups(file) == ("level1",)
    assert artifacts.read(file, "level1")["signal"].tolist() == [1.0, 2.0]
    assert artifacts.open_dataset(file, "level1")["signal"].sizes == {"b": 2}


def test_variables_carry_their_units_and_their_meaning(file):
    with netCDF4.Dataset(file) as dataset:
        assert dataset["b"].units == "ms um-2"
        assert dataset["b"].long_name == "b-value"
        assert dataset["level"].start_index == 0
        assert "units" not in dataset["model"].ncattrs()


def test_files_say_what_made_them(file):
    attributes = artifacts.attributes(file)
    assert attributes["title"] == "A table"
    assert attributes["stage"] == "test"
    assert attributes["code_digest"] == "abc"
    assert json.loads(attributes["parameters"]) == {"x": 1.5}
    assert json.loads(attributes["input_digests"]) == {"in.nc": "def"}


def test_xarray_reads_coordinates_and_leaves_the_file_closed(file):
    dataset = artifacts.open_dataset(file)
    assert set(dataset.coords) == {"model", "b"}
    assert float(dataset["signal"].sel(model="R0", b=0.5)) == 4 / 7
    assert dataset["signal"].attrs["long_name"] == "signal"
    artifacts.write(file, TABLE, MADE)
    assert artifacts.groups(file) == ()


def test_the_same_content_is_the_same_bytes_at_another_time(tmp_path):
    def write(name: str) -> bytes:
        artifacts.write(tmp_path / name, TABLE, MADE, groups={"level1": LEVEL})
        artifacts.write(tmp_path / f"plain_{name}", TABLE, MADE, compress=False)
        return (tmp_path / name).read_bytes() + (tmp_path / f"plain_{name}").read_bytes()

    before = write("one.nc")
    time.sleep(1.1)  # the clock of HDF5 counts seconds
    assert write("other.nc") == before


BAD = {
    "nan": (Variable(("b",), [0.0, np.nan, 1.0], "1", "x"), "x: 1 values are not finite"),
    "infinite": (Variable((), np.inf, "1", "x"), "x: 1 values are not finite"),
    "too many axes": (Variable(("b",), np.zeros((3, 2)), "1", "x"), r"x: 2 axes for .*\('b',\)"),
    "other length": (Variable(("b",), [1.0], "1", "x"), "x: dimension b has 1 .* 3 elsewhere"),
}


@pytest.mark.parametrize(("variable", "message"), BAD.values(), ids=BAD.keys())
def test_a_write_that_fails_leaves_what_was_there(file, variable, message):
    before = file.read_bytes()
    with pytest.raises(ValueError, match=message):
        artifacts.write(file, {**TABLE, "x": variable}, MADE)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError])
def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch, error):
    def interrupted(*_: object) -> None:
        raise error

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(error):
        artifacts.write(tmp_path / "table.nc", TABLE, MADE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_its_name_only_when_it_is_complete(tmp_path, monkeypatch):
    path = tmp_path / "table.nc"

    def check(name: str, final: Path) -> None:
        assert not path.exists()
        assert Path(name).parent == path.parent
        assert list(artifacts.read(name)) == list(TABLE)
        checked.append(name)

    checked: list[str] = []
    monkeypatch.setattr("os.replace", check)
    artifacts.write(path, TABLE, MADE)
    assert checked


def test_missing_values_are_written_where_they_are_allowed(tmp_path):
    order = Variable(("line",), [2.0, np.nan, np.inf], "1", "order", {"allow_missing": True})
    artifacts.write(tmp_path / "x.nc", {"order": order}, MADE)
    np.testing.assert_array_equal(artifacts.read(tmp_path / "x.nc")["order"], [2.0, np.nan, np.inf])
    with netCDF4.Dataset(tmp_path / "x.nc") as dataset:
        assert "allow_missing" not in dataset["order"].ncattrs()


def test_empty_arrays_keep_their_shape(tmp_path):
    facets = Variable(("facet", "node"), np.zeros((0, 2), dtype=np.int32), "1", "facets")
    artifacts.write(tmp_path / "x.nc", {"facets": facets}, MADE)
    data = artifacts.read(tmp_path / "x.nc")
    assert data["facets"].shape == (0, 2)
    assert data["facets"].dtype == np.int32


def test_values_that_look_like_missing_ones_are_read_as_they_are(tmp_path):
    fill = netCDF4.default_fillvals["f8"]
    artifacts.write(tmp_path / "x.nc", {"x": Variable(("i",), [fill, 1.0], "1", "x")}, MADE)
    assert artifacts.read(tmp_path / "x.nc")["x"].tolist() == [fill, 1.0]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_who_may_read_a_file_is_for_the_umask_to_say(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        artifacts.write(tmp_path / "x.nc", TABLE, MADE)
    finally:
        os.umask(before)
    assert (tmp_path / "x.nc").stat().st_mode & 0o777 == mode


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    host = socket.gethostname()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    parts = {
        "dead": tmp_path / f".x.nc.{host}.{dead.pid}.00.part",
        "living": tmp_path / f".x.nc.{host}.{os.getppid()}.00.part",
        "elsewhere": tmp_path / f".x.nc.{host}x.{dead.pid}.00.part",
        "other file": tmp_path / f".y.nc.{host}.{dead.pid}.00.part",
    }
    for part in parts.values():
        part.touch()
    artifacts.write(tmp_path / "x.nc", TABLE, MADE)
    assert [name for name, part in parts.items() if not part.exists()] == ["dead"]


@pytest.mark.parametrize("compress", [True, False])
def test_every_flipped_bit_is_noticed(tmp_path, compress):
    path = tmp_path / "x.nc"
    artifacts.write(path, TABLE, MADE, groups={"level1": LEVEL}, compress=compress)
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    for place in rng.integers(len(content), size=200):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match="x.nc is damaged: .* Delete it"):
            artifacts.read(path)
    path.write_bytes(content)
    assert list(artifacts.read(path)) == list(TABLE)


def test_every_reader_checks_the_content(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    readers = [
        artifacts.read,
        artifacts.groups,
        artifacts.attributes,
        artifacts.open_dataset,
        lambda path: artifacts.dimensions(path, "b"),
    ]
    for reader in readers:
        with pytest.raises(DamagedError):
            reader(file)


@pytest.mark.parametrize("content", ["# mine\n", b"\x89PNG\r\n"])
def test_a_file_of_somebody_else_is_refused_and_not_called_damaged(tmp_path, content):
    path = tmp_path / "mine"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match="mine: found no NetCDF file"):
        artifacts.open_dataset(path)
    with pytest.raises(InputError, match="found a folder"):
        artifacts.open_dataset(tmp_path)
    other = tmp_path / "other.nc"
    netCDF4.Dataset(other, "w").close()
    with pytest.raises(InputError, match="that Torrey has not written"):
        artifacts.open_dataset(other)


def test_a_file_says_by_what_recipe_it_was_made(tmp_path):
    made = replace(MADE, key="0123456789abcdef")
    artifacts.write(tmp_path / "x.nc", TABLE, made)
    assert seals.check(tmp_path / "x.nc").key == "0123456789abcdef"


def test_other_programs_read_a_file_with_a_seal(file):
    assert xarray.load_dataset(file)["signal"].sizes == {"model": 2, "b": 3}
    with netCDF4.Dataset(file) as dataset:
        assert dataset["signal"].filters()["fletcher32"]


def test_a_full_disk_is_said_in_words(tmp_path):
    limited = (
        "import resource, sys; from pathlib import Path; import numpy as np;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from torrey.base import artifacts; from torrey.base.stored import Variable;"
        "from torrey.base.provenance import Provenance;"
        "x = {'x': Variable(('i',), np.random.default_rng(1).random(10_000), '1', 'x')};"
        "artifacts.write(sys.argv[1], x, Provenance('test'))"
    )
    path = tmp_path / "x.nc"
    done = subprocess.run(
        [sys.executable, "-c", limited, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    message = done.stderr.splitlines()[-1]
    assert f"{path} cannot be written" in message
    assert "MB are free" in message
    assert "0.02 MB (ulimit -f)" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/x.nc cannot be written: "):
        artifacts.write(tmp_path / "file" / "x.nc", TABLE, MADE)


def test_the_content_is_on_the_disk_where_that_is_asked_for(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr("os.fsync", flushed.append)
    artifacts.write(tmp_path / "x.nc", TABLE, MADE)
    assert flushed == []
    monkeypatch.setenv("TORREY_FSYNC", "1")
    artifacts.write(tmp_path / "x.nc", TABLE, MADE)
    assert len(flushed) == 1
