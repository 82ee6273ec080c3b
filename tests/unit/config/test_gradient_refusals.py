"""Gradients that cannot be are refused with their place, also where a file is to blame."""

from __future__ import annotations

import pytest
from support.configurations import B_VALUES, line_of
from support.gradient_files import (
    DIRECTIONS,
    FSL,
    ONE_PGSE,
    WAVEFORM,
    double,
    with_gradients,
    write_files,
)

MINE = "studies.mine"
PATH = f"{MINE}.waveform"
ACQUISITION = f"{MINE}.acquisition"
KINDS = "pgse, trapezoid, sine-ogse, cosine-ogse, trapezoid-ogse, double-pgse or file"
SINE = "waveform: {kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: 2}"
TRAPEZOIDS = (
    "waveform: {kind: trapezoid-ogse, delta: 13 ms, Delta: 20 ms, cycles: 2, rise_time: 0.5 ms}"
)
TRAPEZOID = "waveform: {kind: trapezoid, delta: 4 ms, Delta: 12 ms, rise_time: 0.5 ms}"
SAMPLES = "waveform: {kind: file, path: bipolar.csv}"
SCHEME = "acquisition: {scheme: pulses.scheme}"

# The line of a waveform; the key, what was found and what is accepted.
WAVEFORMS = [
    ("waveform:", PATH, "nothing", "a mapping, such as {kind: pgse, delta: 5 ms, Delta: 15 ms}"),
    ("waveform: [pgse]", PATH, "a list of 1", "a mapping"),
    (SINE.replace("sine-ogse", "ogse"), f"{PATH}.kind", '"ogse"', KINDS),
    (SINE.replace("kind: sine-ogse, ", ""), f"{PATH}.kind", "nothing", KINDS),
    # keys
    (SINE.replace(", cycles: 2", ""), f"{PATH}.cycles", "nothing", "at most 100 (periods in a"),
    (TRAPEZOID.replace("rise_", "ramp_"), f"{PATH}.ramp_time", '"ramp_time"', "rise_time"),
    (TRAPEZOID.replace("rise_", "ramp_"), f"{PATH}.rise_time", "nothing", "a time with its unit"),
    (
        ONE_PGSE.replace("}", ", rise_time: 1 ms}"),
        f"{PATH}.rise_time",
        'the unknown key "rise_time"',
        "the keys kind, delta, Delta",
    ),
    (double(mixing_time=None), f"{PATH}.mixing_time", "nothing", "a time with its unit"),
    (SAMPLES.replace("path", "file"), f"{PATH}.path", "nothing", "a file of samples"),
    (SAMPLES.replace("}", ", delta: 1 ms}"), f"{PATH}.delta", '"delta"', "the keys kind, path"),
    # numbers and quantities
    (SINE.replace("s: 2", "s: 1.5"), f"{PATH}.cycles", '"1.5"', "a whole number, at least 1"),
    (SINE.replace("s: 2", "s: 0"), f"{PATH}.cycles", '"0"', "a whole number, at least 1"),
    (SINE.replace("s: 2", "s: -2"), f"{PATH}.cycles", '"-2"', "a whole number, at least 1"),
    (SINE.replace("s: 2", "s: [1, 2 ms]"), f"{PATH}.cycles[1]", '"2 ms"', "a whole number, at"),
    (SINE.replace("s: 2", "s: [1, 2, 1]"), f"{PATH}.cycles[2]", "1, the same as entry 0", "once"),
    (
        SINE.replace("s: 2", "s: {start: 1, stop: 2, num: 3}"),
        f"{PATH}.cycles",
        "cycles = 1.5",
        "a whole number, at least 1",
    ),
    (double(angle="90"), f"{PATH}.angle", '"90"', 'an angle with its unit, such as "90 deg"'),
    (double(angle="90 ms"), f"{PATH}.angle", '"90 ms" (a time)', "an angle with its unit"),
    (
        double(angle="{start: -9 deg, stop: 9 deg, num: 3, scale: log}"),
        f"{PATH}.angle.start",
        "a negative value on a logarithmic scale",
        "a value above zero",
    ),
    (
        double(angle="{start: 9 deg, stop: 0 deg, num: 3, scale: log}"),
        f"{PATH}.angle.stop",
        "zero on a logarithmic scale",
        "a value above zero",
    ),
    (double(mixing_time="-1 ms"), f"{PATH}.mixing_time", '"-1 ms"', "at least zero"),
    (double(delta="0 ms"), f"{PATH}.delta", '"0 ms"', "above zero"),
    (TRAPEZOID.replace("0.5 ms", "0 ms"), f"{PATH}.rise_time", '"0 ms"', "above zero"),
    # times that do not fit
    (TRAPEZOID.replace("0.5", "4.5"), f"{PATH}.rise_time", "rise_time = 4.5 ms", "than 4 ms here"),
    (
        TRAPEZOID.replace("12 ms", "4.2 ms"),
        f"{PATH}.delta",
        "delta = 4 ms with Delta = 4.2 ms",
        "the rise time of 0.5 ms together not longer than Delta",
    ),
    (
        TRAPEZOIDS.replace("0.5 ms", "[0.5 ms, 1.5 ms]"),
        f"{PATH}.rise_time",
        "rise_time = 1.5 ms",
        "not longer than 1 ms here",
    ),
    (SINE.replace("20 ms", "9 ms"), f"{PATH}.delta", "delta = 10 ms with Delta = 9 ms", "Delta"),
    (double(Delta="[9 ms, 2 ms]"), f"{PATH}.delta", "delta = 3 ms with Delta = 2 ms", "not longer"),
    # files
    (SAMPLES.replace("bipolar", "none"), f"{PATH}.path", "none.csv: No such file", "a text file"),
    (
        SAMPLES.replace("bipolar", "bare"),
        f"{PATH}.path",
        'line 1 of bare.csv: "time,g"',
        "names of columns, each with its unit",
    ),
    (
        SAMPLES.replace("bipolar", "broken"),
        f"{PATH}.path",
        'line 3 of broken.csv: "4o"',
        "a number",
    ),
    (
        SAMPLES.replace("bipolar", "open"),
        f"{PATH}.path",
        "a wave vector g(T_E) at the echo of 0.333 times the largest |g|",
        "a gradient whose integral is zero",
    ),
]


def check(messages: list[str], place: str, found: str, accepted: str) -> None:
    """One message has this place, names what was found and says what is accepted."""
    here = [m for m in messages if m.startswith(place) and found in m]
    assert len(here) == 1, messages
    before, after = here[0].split(", accepted: ", 1)
    assert found in before
    assert accepted in after


@pytest.fixture
def refused(tmp_path, messages):
    """What is said about the study `mine` with other lines, beside files that they may name."""

    def refused(*lines: str) -> list[str]:
        write_files(tmp_path)
        return messages(with_gradients(*lines))

    return refused


@pytest.mark.parametrize(
    ("line", "key", "found", "accepted"), WAVEFORMS, ids=lambda value: str(value)[:60]
)
def test_impossible_waveforms_are_refused(refused, line, key, found, accepted):
    place = line_of(with_gradients(line), "waveform:")
    said = refused(line, B_VALUES, DIRECTIONS)
    check(said, f"mine.yaml:{place}: {key}: found ", found, accepted)


# Lines on the gradients; the start of the line, the key, what was found and what is accepted.
COMBINATIONS = [
    ([B_VALUES, DIRECTIONS], "mine:", PATH, "nothing", "{kind: pgse, delta: 5 ms, Delta: 15 ms}"),
    ([ONE_PGSE, B_VALUES], "mine:", f"{MINE}.directions", "nothing", "a list of vectors"),
    (
        [ONE_PGSE, DIRECTIONS],
        "mine:",
        MINE,
        "none of b, q, gradient, acquisition",
        "exactly one of b, q, gradient, acquisition",
    ),
    (
        [ONE_PGSE, FSL, B_VALUES],
        "mine:",
        MINE,
        "b and acquisition",
        "exactly one of b, q, gradient",
    ),
    ([ONE_PGSE, FSL, "q: 0.1 rad/um"], "mine:", MINE, "q and acquisition", "exactly one of"),
    (
        [ONE_PGSE, FSL, DIRECTIONS],
        "directions:",
        f"{MINE}.directions",
        "directions",
        "no such key: the acquisition has its own",
    ),
    (
        [ONE_PGSE, SCHEME],
        "waveform:",
        PATH,
        "a waveform",
        "no such key: these files have the times of their gradients",
    ),
    ([FSL], "mine:", PATH, "nothing", "a mapping, such as {kind: pgse"),
    (
        [WAVEFORM, FSL],
        "acquisition:",
        ACQUISITION,
        "files of an acquisition with 2 waveforms",
        "one value for each time of the waveform",
    ),
    # the mapping of an acquisition
    (
        [ONE_PGSE, "acquisition:"],
        "acquisition:",
        ACQUISITION,
        "nothing",
        "{bval: FILE, bvec: FILE}",
    ),
    ([ONE_PGSE, "acquisition: dwi"], "acquisition:", ACQUISITION, '"dwi"', "a mapping: {bval"),
    (
        [ONE_PGSE, "acquisition: {}"],
        "acquisition:",
        ACQUISITION,
        "no file",
        "both bval and bvec, all of bval, bvec and sidecar, all of bval, bvec and bdelta, grad",
    ),
    (
        [ONE_PGSE, "acquisition: {bval: dwi.bval}"],
        "acquisition:",
        ACQUISITION,
        "bval",
        "both bval and bvec, all of bval, bvec and sidecar, all of bval, bvec and bdelta, grad",
    ),
    (
        [ONE_PGSE, "acquisition: {bvec: dwi.bvec}"],
        "acquisition:",
        ACQUISITION,
        "bvec",
        "both bval and bvec, all of bval, bvec and sidecar, all of bval, bvec and bdelta, grad",
    ),
    (
        ["acquisition: {scheme: pulses.scheme, bval: dwi.bval}"],
        "acquisition:",
        ACQUISITION,
        "bval and scheme",
        "both bval and bvec, all of bval, bvec and sidecar, all of bval, bvec and bdelta, grad",
    ),
    (
        [ONE_PGSE, "acquisition: {bvals: dwi.bval, bvec: dwi.bvec}"],
        "acquisition:",
        f"{ACQUISITION}.bvals",
        'the unknown key "bvals" (did you mean "bval"?)',
        "the keys bval, bvec, sidecar, bdelta, grad, scheme, table, dvs, pulseq, b0_threshold",
    ),
    # the files of an acquisition
    (
        [ONE_PGSE, FSL.replace("dwi.bval", "none.bval")],
        "acquisition:",
        ACQUISITION,
        "none.bval: No such file",
        "a text file that can be read",
    ),
    (
        [ONE_PGSE, FSL.replace("dwi.bval", "words.bval")],
        "acquisition:",
        ACQUISITION,
        'line 2 of words.bval: "many"',
        "a number",
    ),
    (
        [ONE_PGSE, FSL.replace("dwi.bval", "negative.bval")],
        "acquisition:",
        ACQUISITION,
        "line 1 of negative.bval, entry 3: b = -5 s/mm^2",
        "zero or above",
    ),
    (
        [ONE_PGSE, FSL.replace("dwi.bvec", "long.bvec")],
        "acquisition:",
        ACQUISITION,
        "long.bvec: 3 rows of 3 numbers for 4 b-values in dwi.bval",
        "3 rows of 4, or 4 rows of 3",
    ),
    (
        ["acquisition: {scheme: table.scheme}"],
        "mine:",
        PATH,
        "nothing",
        "VERSION: BVECTOR has no delta and no Delta",
    ),
    (
        ["acquisition: {scheme: short.scheme}"],
        "acquisition:",
        ACQUISITION,
        "line 3 of short.scheme: 5 columns",
        "7: gx gy gz |G| DELTA delta TE",
    ),
    # directions out of the plane of a cell
    (
        [ONE_PGSE, FSL.replace("dwi.bvec", "tilted.bvec")],
        "acquisition:",
        ACQUISITION,
        "line 1 of dwi.bval, entry 4: the direction [0.6, 0, -0.8]",
        "directions along the 2 dimensions of the cell",
    ),
    (
        ["acquisition: {scheme: tilted.scheme}"],
        "acquisition:",
        ACQUISITION,
        "line 3 of tilted.scheme: the direction [0, 0.6, 0.8]",
        "directions along the 2 dimensions of the cell",
    ),
    # the method of the reference
    (
        [ONE_PGSE, B_VALUES, DIRECTIONS, "reference: {method: fast}"],
        "reference:",
        f"{MINE}.reference.method",
        '"fast"',
        "full (the finite-element system, point by point) or projected",
    ),
    (
        [ONE_PGSE, B_VALUES, DIRECTIONS, "reference: projected"],
        "reference:",
        f"{MINE}.reference",
        '"projected"',
        "a mapping: {method: full} or {method: projected}",
    ),
    (
        [ONE_PGSE, B_VALUES, DIRECTIONS, "reference:"],
        "reference:",
        f"{MINE}.reference",
        "nothing",
        "a",
    ),
]


@pytest.mark.parametrize(
    ("lines", "start", "key", "found", "accepted"), COMBINATIONS, ids=lambda value: str(value)[-70:]
)
def test_gradients_that_do_not_belong_together_are_refused(
    refused, lines, start, key, found, accepted
):
    place = line_of(with_gradients(*lines), start)
    check(refused(*lines), f"mine.yaml:{place}: {key}: found ", found, accepted)


@pytest.mark.parametrize(
    ("lines", "line", "found", "accepted"),
    [
        (
            [double(), B_VALUES, "directions: [1]"],
            "waveform:",
            "2 components",
            "at most 1, as many",
        ),
        (
            ["waveform: {kind: file, path: turn.csv}", B_VALUES, "directions: [1]"],
            "waveform:",
            "2 components",
            "at most 1, as many",
        ),
        (
            [double(), FSL.replace("dwi.bvec", "line.bvec")],
            "waveform:",
            "2 components",
            "at most 1, as many",
        ),
        (
            [ONE_PGSE, FSL],
            "acquisition:",
            "line 1 of dwi.bval, entry 3: the direction [0, 1, 0]",
            "directions along the 1 dimension of the cell: the other components are 0",
        ),
        (
            [SCHEME],
            "acquisition:",
            "line 4 of pulses.scheme: the direction [0.6, 0.8, 0]",
            "directions along the 1 dimension of the cell",
        ),
    ],
)
def test_gradients_must_fit_a_cell_of_one_dimension(
    tmp_path, messages, lines, line, found, accepted
):
    write_files(tmp_path)
    text = with_gradients(*lines).replace("geometry: tissue", "geometry: layers")
    key = line.rstrip(":")
    check(messages(text), f"mine.yaml:{line_of(text, line)}: {MINE}.{key}: found ", found, accepted)


@pytest.mark.parametrize(
    "lines",
    [
        [double(), B_VALUES, DIRECTIONS],
        [double(), FSL],
        ["waveform: {kind: file, path: turn.csv}", B_VALUES, DIRECTIONS],
    ],
)
@pytest.mark.parametrize("model", ["lumped-R0", "lumped-R2"])
def test_lumped_models_take_gradients_along_one_direction(tmp_path, messages, lines, model):
    write_files(tmp_path)
    text = with_gradients(*lines).replace("R0, R2]", f"R0, {model}]")
    (message,) = messages(text)
    assert f"{MINE}.models[2]: found {model}, accepted: " in message
    assert message.endswith(f"{model[-2:]}: lumped models take gradients along one direction")


def test_problems_of_gradients_are_told_beside_others(refused):
    said = refused(SINE.replace("cycles: 2", "cycles: x"), "b: 1", "directions: [[0, 0]]")
    keys = [message.split(": ")[1] for message in said]
    assert keys == [f"{PATH}.cycles", f"{MINE}.b"]
    said = refused(
        TRAPEZOID.replace("0.5", "4.5"), "b: [1 ms/um^2, 1 ms/um^2]", "directions: [0, 0]"
    )
    keys = [message.split(": ")[1] for message in said]
    assert keys == [f"{PATH}.rise_time", f"{MINE}.b[1]", f"{MINE}.directions[0]"]
