"""Files that cannot be used are refused with their name, their line and the reason, all readers."""

from __future__ import annotations

import sys

import pytest
from support.measurement_tables import PYPULSEQ

from torrey.base.errors import InputError
from torrey.gradients.acquisition import READERS, acquisition_readers

NAMES = {
    "bval": "a.bval", "bvec": "a.bvec", "sidecar": "a.json", "bdelta": "a.bdelta", "grad": "a.b",
    "scheme": "a.scheme", "table": "a.tsv", "dvs": "a.dvs", "pulseq": "a.seq",
}  # fmt: skip
#: Files that can be used: each case below changes one of them.
GOOD = {
    "bval": "0 1000 2000\n",
    "bvec": "0 1 0\n0 0 1\n0 0 0\n",
    "sidecar": '{\n"EchoTime": 0.08,\n"SmallDelta": 0.01,\n"BigDelta": 0.03\n}\n',
    "bdelta": "1 1 0\n",
    "grad": "0 0 0 0\n1 0 0 1000\n0 1 0 2000\n",
    "scheme": "VERSION: STEJSKALTANNER\n1 0 0 0.04 0.03 0.01 0.06\n",
    "table": "b (s/mm^2)\tx\ty\tz\tdelta (ms)\tDelta (ms)\n1e3\t1\t0\t0\t10\t30\n",
    "dvs": "[directions=2]\nNormalisation = none\nVector[0] = (1, 0, 0)\nVector[1] = (0, 0.5, 0)\n",
    "pulseq": "[VERSION]\n",
}
STEPS = "VERSION: GRADIENT_WAVEFORM\n"
SAMPLES = "VERSION: WAVEFORM\n"
TABLE = "b (s/mm^2)\tx\ty\tz\n"
SET = "[directions=1]\nNormalisation = none\n"

# The reader, the key of the file at fault, its content, and what is said of it.
CASES = [
    ("fsl", "bval", None, "a.bval: No such file"),
    ("fsl", "bval", "", "a.bval: an empty file"),
    ("fsl", "bval", "0 1000 2000 x\n", 'line 1 of a.bval: "x"'),
    ("fsl", "bval", "0 1000\n2000\n", "line 1 of a.bval: 2 numbers"),
    ("fsl", "bval", "0\n1000\n-2000\n", "line 3 of a.bval, entry 3: b = -2000 s/mm^2"),
    ("fsl", "bval", "0 1000 nan\n", "line 1 of a.bval, entry 3: b = nan s/mm^2"),
    ("fsl", "bval", "0 1000 2e9\n", "line 1 of a.bval, entry 3: b = 2e+06 ms/um^2"),
    ("fsl", "bvec", b"\xff\xfe", "a.bvec: not a text in UTF-8"),
    ("fsl", "bvec", "0 1 0\n0 0 1\n0 0\n", "line 3 of a.bvec: 2 numbers"),
    ("fsl", "bvec", "0 1\n0 0\n0 0\n", "a.bvec: 3 rows of 2 numbers for 3 b-values in a.bval"),
    ("fsl", "bvec", "0 1 0\n0 0 0\n0 0 0\n", "a.bvec, entry 3: the direction (0, 0, 0) at b"),
    ("fsl", "bvec", "0 3 0\n0 0 1\n0 0 0\n", "a.bvec, entry 2: the direction (3, 0, 0) at b"),
    # b-tensors
    ("b-tensors", "bdelta", "1 1\n", "a.bdelta: 2 values for 3 b-values in a.bval"),
    ("b-tensors", "bdelta", "1 1 -0.6\n", "line 1 of a.bdelta, entry 3: b_delta = -0.6"),
    ("b-tensors", "bdelta", "1\n1.1\n0\n", "line 2 of a.bdelta, entry 2: b_delta = 1.1"),
    ("b-tensors", "bdelta", "1 nan 0\n", "line 1 of a.bdelta, entry 2: b_delta = nan"),
    ("b-tensors", "bdelta", "linear\n", 'line 1 of a.bdelta: "linear"'),
    # BIDS
    ("bids", "sidecar", "", "line 1 of a.json: no JSON"),
    ("bids", "sidecar", '{\n"EchoTime": 0.08,\n}\n', "a.json: no JSON"),
    ("bids", "sidecar", "[0.08]\n", "line 1 of a.json: no JSON object"),
    ("bids", "sidecar", '{\n"EchoTime": "80 ms"}', 'line 2 of a.json: EchoTime = ""80 ms""'),
    ("bids", "sidecar", '{"EchoTime": -0.08}', 'line 1 of a.json: EchoTime = "-0.08"'),
    ("bids", "sidecar", '{"EchoTime": 80}', "line 1 of a.json: TE = 80000 ms"),
    ("bids", "sidecar", '{"EchoTime": true}', 'line 1 of a.json: EchoTime = "true"'),
    ("bids", "sidecar", '{"EchoTime": []}', "line 1 of a.json: EchoTime is an empty list"),
    ("bids", "sidecar", '{"EchoTime": [0.08, 0.1]}', "a.json: 2 values of EchoTime for 3 volumes"),
    ("bids", "sidecar", '{\n"SmallDelta": 0.01}', "line 2 of a.json: SmallDelta without the other"),
    ("bids", "sidecar", '{\n\n"BigDelta": 0.03}', "line 3 of a.json: BigDelta without the other"),
    (
        "bids",
        "sidecar",
        '{"SmallDelta": 0.01, "BigDelta": 0.03,\n"DiffusionScheme": "Bipolar"}',
        "line 2 of a.json: bipolar gradients",
    ),
    (
        "bids",
        "sidecar",
        '{"EchoTime": 0.03, "SmallDelta": 0.01, "BigDelta": 0.03}',
        "line 1 of a.json: Delta = 30 ms, delta = 10 ms, TE = 30 ms",
    ),
    (
        "bids",
        "sidecar",
        '{"EchoTime": 0.08, "SmallDelta": 0.03, "BigDelta": 0.01}',
        "line 1 of a.json: Delta = 10 ms, delta = 30 ms",
    ),
    (
        "bids",
        "sidecar",
        '{"EchoTime": 0.08, "SmallDelta": 10.0, "BigDelta": 0.03}',
        "line 1 of a.json: Delta = 0.03 ms, delta = 10 ms",
    ),
    # MRtrix
    ("mrtrix", "grad", "# nothing\n", "a.b: an empty file"),
    ("mrtrix", "grad", "0 0 0\n1 0 0 1000\n", "line 1 of a.b: 3 columns"),
    ("mrtrix", "grad", "1 0 0 1000\n\n1 0 0 x\n", 'line 3 of a.b: "x"'),
    ("mrtrix", "grad", "1 0 0 -1000\n", "line 1 of a.b: b = -1000 s/mm^2"),
    ("mrtrix", "grad", "0 0 0 0\n1 1 0 1000\n", "line 2 of a.b: the direction (1, 1, 0)"),
    # schemes
    ("scheme", "scheme", "VERSION: TRSE\n", "line 1 of a.scheme: VERSION: TRSE, a twice-refocused"),
    ("scheme", "scheme", "VERSION: 0\n0.04\n", "line 1 of a.scheme: VERSION: 0, which has diff"),
    ("scheme", "scheme", "version: dpfg\n", 'line 1 of a.scheme: "version: dpfg"'),
    ("scheme", "scheme", "1 0 0 1000\n", "line 1 of a.scheme"),
    ("scheme", "scheme", "0.04\n30\n", 'line 1 of a.scheme: "0.04", a scheme of VERSION 0'),
    ("scheme", "scheme", GOOD["scheme"] + "1 0 0\n", "line 3 of a.scheme: 3 columns"),
    (
        "scheme",
        "scheme",
        GOOD["scheme"] + "1 0 0 0.04 0.03 0.01 0.0398\n",
        "line 3 of a.scheme: DELTA = 30 ms, delta = 10 ms, TE = 39.8 ms",
    ),
    ("scheme", "scheme", GOOD["scheme"] + "2 0 0 1 1 1 2\n", "line 3 of a.scheme: the direction"),
    ("scheme", "scheme", "VERSION: BVECTOR\n1 0 0\n", "line 2 of a.scheme: 3 columns"),
    ("scheme", "scheme", "VERSION: BVECTOR\n0 0 0 1e9\n", "line 2 of a.scheme: the direction"),
    ("scheme", "scheme", STEPS + "2 0.001 1 0 0\n", "line 2 of a.scheme: 5 numbers"),
    ("scheme", "scheme", STEPS + "1.5 0.001 1 0 0\n", "line 2 of a.scheme: K = 1.5"),
    ("scheme", "scheme", STEPS + "0 0.001\n", "line 2 of a.scheme: K = 0"),
    ("scheme", "scheme", STEPS + "inf 0.001\n", "line 2 of a.scheme: K = inf"),
    ("scheme", "scheme", STEPS + "1e9 0.001\n", "line 2 of a.scheme: K = 1e+09"),
    ("scheme", "scheme", STEPS + "1 0 1 0 0\n", "line 2 of a.scheme: K dt = 0 s"),
    ("scheme", "scheme", STEPS + "1 0.001 nan 0 0\n", "line 2 of a.scheme: a gradient that is not"),
    ("scheme", "scheme", STEPS + "1 0.001 0.1 0 0\n", "line 2 of a.scheme: a wave vector g(T_E)"),
    ("scheme", "scheme", SAMPLES + "0.01 3\n", "line 2 of a.scheme: 2 numbers"),
    ("scheme", "scheme", SAMPLES + "0.01 1 1\n", "line 2 of a.scheme: samples = 1"),
    ("scheme", "scheme", SAMPLES + "0.01 2 0\n", "line 2 of a.scheme: measurements = 0"),
    ("scheme", "scheme", SAMPLES + "-1 2 1\n0 0 0\n0 0 0\n", "line 2 of a.scheme: the duration"),
    ("scheme", "scheme", SAMPLES + "0.01 2 1\n0 0 0\n", "a.scheme: 1 vector below its second"),
    ("scheme", "scheme", SAMPLES + "0.01 2 1\n0 0 0\n0 0\n", "line 4 of a.scheme: 2 numbers"),
    ("scheme", "scheme", SAMPLES + "0.01 2 1\n1 0 0\n1 0 0\n", "lines 3 to 4 of a.scheme: a wave"),
    # columns
    ("columns", "table", "b (s/mm^2);delta (ms)\n1000;10\n", "line 1 of a.tsv: semicolons"),
    ("columns", "table", "x\ty\tz\n1\t0\t0\n", "line 1 of a.tsv: no column b"),
    ("columns", "table", "b\tx\ty\tz\n1\t1\t0\t0\n", "line 1 of a.tsv: a column b without a unit"),
    ("columns", "table", "b (ms)\tx\ty\tz\n1\t1\t0\t0\n", 'line 1 of a.tsv: b in "ms"'),
    ("columns", "table", "b (s/mm^2)\tx\ty\n1\t1\t0\n", "line 1 of a.tsv: x and y without"),
    ("columns", "table", "b (s/mm^2)\tbval (s/m^2)\n1\t1\n", "line 1 of a.tsv: a second column"),
    ("columns", "table", "b (s/mm^2)\tdelta (ms)\n1\t1\n", "line 1 of a.tsv: delta without the"),
    ("columns", "table", TABLE, "a.tsv: no row below its names"),
    ("columns", "table", TABLE + "1000\t1\t0\n", "line 2 of a.tsv: 3 columns"),
    ("columns", "table", TABLE + "1000\t1\t0\tx\n", 'line 2 of a.tsv: "x"'),
    ("columns", "table", TABLE + "n/a\t1\t0\t0\n", "line 2 of a.tsv: b = nan s/mm^2"),
    (
        "columns",
        "table",
        TABLE + "0\t1\t0\t0\n1e3\t\t0\t0\n",
        "line 3 of a.tsv: the direction (nan",
    ),
    ("columns", "table", GOOD["table"] + "1e3\t1\t0\t0\t0\t30\n", "line 3 of a.tsv: delta = 0 ms"),
    (
        "columns",
        "table",
        GOOD["table"] + "1e3\t1\t0\t0\t40\t30\n",
        "line 3 of a.tsv: Delta = 30 ms",
    ),
    ("columns", "table", "b (s/mm^2),b_delta,x,y,z\n1e3,2,1,0,0\n", "line 2 of a.tsv: b_delta = 2"),
    ("columns", "table", "b (s/mm^2),x,y,z,TE (ms)\n1e3,1,0,0,0\n", "line 2 of a.tsv: TE = 0 ms"),
    ("columns", "table", "b (s/mm^2),x,y,z,TE (s)\n1e3,1,0,0,80\n", "line 2 of a.tsv: TE = 8"),
    (
        "columns",
        "table",
        "b (s/mm^2),b_delta,x,y,z,delta (ms),Delta (ms)\n1e3,0,1,0,0,10,30\n",
        "line 2 of a.tsv: b_delta = 0 with delta and Delta",
    ),
    # dvs
    ("dvs", "dvs", "Vector[0] = (1, 0, 0)\n", 'line 1 of a.dvs: "Vector[0] = (1, 0, 0)"'),
    ("dvs", "dvs", SET, "line 1 of a.dvs: directions = 1 above 0 vectors"),
    ("dvs", "dvs", SET + "Vector[1] = (1, 0, 0)\n", "line 3 of a.dvs: Vector[1]"),
    ("dvs", "dvs", SET + "Vector[0] = (1, 0)\n", "line 3 of a.dvs: 2 numbers"),
    ("dvs", "dvs", SET + "Vector[0] = (1, 0, x)\n", 'line 3 of a.dvs: "x"'),
    ("dvs", "dvs", SET + "Vector[0] = (1, 0, inf)\n", "line 3 of a.dvs"),
    ("dvs", "dvs", SET + "Vector[0] = 1, 0, 0\n", 'line 3 of a.dvs: "Vector[0] = 1, 0, 0"'),
    ("dvs", "dvs", SET + "Normalisation = some\n", "line 3 of a.dvs: Normalisation = some"),
    ("dvs", "dvs", SET + "CoordinateSystem = ijk\n", "line 3 of a.dvs: CoordinateSystem = ijk"),
    ("dvs", "dvs", SET + "Comment = hello\n", 'line 3 of a.dvs: "Comment = hello"'),
    ("dvs", "dvs", GOOD["dvs"] * 2, "line 5 of a.dvs: a second set of vectors (2, 2)"),
    ("dvs", "dvs", "[directions=1]\nVector[0] = (2, 0, 0)\n", "line 1 of a.dvs: no Normalisation"),
    ("dvs", "dvs", SET + "Vector[0] = (1e9, 0, 0)\n", "line 3 of a.dvs: b = "),
    # Pulseq
    ("pulseq", "pulseq", "", "a.seq: pypulseq cannot read it (RuntimeError: Pulseq file MUST"),
    ("pulseq", "pulseq", b"\0\0", "a.seq: not a text (it has null bytes)"),
    ("pulseq", "pulseq", "[VERSION] no refocusing", "a.seq: 5 excitations, none of them refocused"),
]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads the good files of a reader, one of them replaced, and makes all waveforms."""
    monkeypatch.setitem(sys.modules, "pypulseq", PYPULSEQ)

    def read(name, key="", content=None):
        reader = READERS[name]
        for each in reader.keys:
            text = content if each == key else GOOD[each]
            if isinstance(text, bytes):
                (tmp_path / NAMES[each]).write_bytes(text)
            elif text is not None:
                (tmp_path / NAMES[each]).write_text(text, encoding="utf-8")
        options = {"b": 2.0} if name == "dvs" else {}
        scan = reader.read(**{each: tmp_path / NAMES[each] for each in reader.keys}, **options)
        return scan, [make() for make in scan.waveforms]

    return read


@pytest.mark.parametrize("name", [reader.name for reader in acquisition_readers()])
def test_the_files_that_are_changed_can_be_used(read, name):
    scan, _ = read(name)
    assert scan.rows


def test_there_are_many_of_all_readers():
    assert len(CASES) >= 60
    assert {name for name, *_ in CASES} == {reader.name for reader in acquisition_readers()}


@pytest.mark.parametrize(("name", "key", "content", "said"), CASES, ids=[c[3] for c in CASES])
def test_malformed_files_are_refused_with_their_place(read, name, key, content, said):
    with pytest.raises(InputError) as refusal:
        read(name, key, content)
    assert said in refusal.value.found
    assert NAMES[key] in refusal.value.found
    assert refusal.value.accepted
    assert str(refusal.value).isprintable()


def test_without_pypulseq_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pypulseq", None)
    (tmp_path / "a.seq").write_text(GOOD["pulseq"])
    with pytest.raises(InputError, match=r"accepted: pypulseq .* pip install 'torrey\[pulseq\]'"):
        READERS["pulseq"].read(pulseq=tmp_path / "a.seq")


def test_every_fault_of_a_file_is_told_at_once(read):
    with pytest.raises(InputError) as refusal:
        read("mrtrix", "grad", "1 0 0\n0 0 0 1000\n1 0 0 1000\n1 0 x 1000\n")
    # Lines that are no rows are told first: what the others mean may depend on them.
    assert refusal.value.found == 'line 1 of a.b: 3 columns; line 4 of a.b: "x"'
    with pytest.raises(InputError) as refusal:
        read("mrtrix", "grad", "0 0 0 900\n" * 30)
    assert "line 5 of a.b: the direction (0, 0, 0)" in refusal.value.found
    assert "; and 25 more (line 6 of a.b, line 7 of a.b" in refusal.value.found
    assert refusal.value.found.endswith(", ...)")
