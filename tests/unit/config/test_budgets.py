"""What asks for too much is refused before any work starts, in one clear line."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from support.configurations import B_VALUES, GOOD, edited, line_of
from support.gradient_files import double, with_gradients

from torrey.base import budgets
from torrey.base.budgets import printable, quoted, read_bytes, repeated_end
from torrey.base.errors import InputError
from torrey.base.keys import slug
from torrey.base.units import UNITS, UnitError, parse
from torrey.cell.material import Material
from torrey.config import ConfigError, load
from torrey.config.nodes import read_yaml
from torrey.geometry import Layers, MeshOptions
from torrey.gradients.waveforms import CosineOgse

PERIODS = "[6 um, 12 um]"
DELTA = "delta: [4 ms], Delta: [12 ms, 20 ms]"
DIFFUSIVITY = "outside: 2.5e-3 mm^2/s"
MODELS = "[reference, R0, R2]"


@pytest.fixture(autouse=True)
def quick():
    """What is not refused at once would take minutes, on any machine."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 30.0


# ---- reading ----


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def bomb(generations: int) -> str:
    """A text that stands for ten to the power of so many generations."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for n in range(generations - 1):
        lines.append(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]")
    return "\n".join(lines) + "\n"


@pytest.mark.fault(
    "a configuration that is nested, repeats itself by aliases or is too large",
    "refused with its line",
)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"studies: {nested(900)}\n",
            r"mine.yaml:1: studies.*a value nested too deeply.*20 levels",
        ),
        (f"studies: {nested(100_000)}\n", "mine.yaml:1: studies.*a value nested too deeply"),
        ("studies: &s {mine: {more: *s}}\n", 'nested too deeply: the alias "s" stands in what'),
        (bomb(12), "mine.yaml:.*more than 100000 keys and values, aliases expanded"),
        (bomb(12).replace("x, ", "<<: 1, ", 1), "mine.yaml:"),
        ("a: " + "x" * 2_000 + "\n", 'mine.yaml:1: a: found a text of 2000 characters, "x{60}..."'),
        ("x" * 101 + ": 1\n", 'mine.yaml:1: found a key of 101 characters, "x{60}..."'),
        ("# " + "x" * 300_000, "mine.yaml: found more than 256 KiB, accepted: a YAML file"),
        ('a: "\\U0011FFFF"\n', "mine.yaml:1: found an escape of a character that does not exist"),
        ("studies:\n  mine:\n\tgeometry: tissue\n", "mine.yaml:3: found a tab .*accepted: blanks"),
        ("studies:\n  a: \x07\n", r"mine.yaml:2: found the character '\\x07', which YAML lacks"),
        (f"%YAML 1.{'1' * 5_000}\n---\na: 1\n", "mine.yaml:1: found"),
    ],
    ids=range(12),
)
def test_files_that_ask_for_too_much_are_refused_where_they_do(messages, text, message):
    (found,) = messages(text)
    assert re.search(message, found)


@pytest.mark.fault(
    "a configuration in Latin-1 or UTF-16, or with null bytes",
    "refused with its line",
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"studies:\n  caf\xe9: 1\n", "m.yaml:2: found text that is not UTF-8, accepted: UTF-8"),
        ("studies:\n".encode("utf-16"), "m.yaml:1: found text that is not UTF-8 but UTF-16"),
        (b"a: \x00\n", r"m.yaml:1: found the character '\x00', which YAML lacks"),
    ],
)
def test_files_in_another_encoding_are_refused_where_it_shows(tmp_path, content, message):
    file = tmp_path / "m.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        read_yaml(file)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()]
)
def test_marks_of_byte_order_and_windows_line_ends_are_read(tmp_path, content):
    (tmp_path / "m.yaml").write_bytes(content)
    assert load([tmp_path / "m.yaml"]).studies.keys() == {"mine"}


def test_values_are_counted_as_often_as_aliases_repeat_them(tmp_path, monkeypatch):
    monkeypatch.setattr("torrey.config.nodes.MOST_NODES", 11)
    file = tmp_path / "m.yaml"
    file.write_text("a: &a [1, 2, 3]\nb: *a\n")  # two keys, two lists of three, and the mapping
    assert read_yaml(file).plain() == {"a": ["1", "2", "3"], "b": ["1", "2", "3"]}
    file.write_text("a: &a [1, 2, 3]\nb: [*a]\n")
    with pytest.raises(ConfigError, match=r"m\.yaml:2: found more than 11 keys and values"):
        read_yaml(file)


def test_a_file_is_regular_and_small(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(b"1 " * 600)
    for path, found in (
        (Path("/dev/zero"), "a device, a pipe or a socket"),
        (tmp_path / "pipe", "a device, a pipe or a socket"),
        (tmp_path, "Is a directory"),
        (tmp_path / "big", "more than 1 KiB"),
        (tmp_path / "none", "No such file"),
        (tmp_path / ("x" * 300), "File name too long"),
        (Path("a\0b"), "a text that no file can have for a name"),
        (Path("a\ud800b"), "a text that no file can have for a name"),
    ):
        with pytest.raises(InputError, match=found) as refusal:
            read_bytes(path, 1024)
        assert refusal.value.accepted == "a file that can be read, of at most 1 KiB"


# ---- names ----


@pytest.mark.fault(
    "names that are too long, or end in 20 equal parts",
    "refused with their line",
)
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("x" * 252, "a key of 252 characters"),
        ("cell" + "a" * 20, f'the name "cell{"a" * 20}", accepted: at most 19 of "a" at the end'),
        ("ab" * 20, 'accepted: at most 19 of "ab" at the end'),
    ],
)
def test_names_that_files_cannot_have_are_refused(messages, name, found):
    (message, *_) = messages(edited("  mine:", f"  {name}:"))
    assert found in message
    assert message.startswith(
        f"mine.yaml:{line_of(edited('  mine:', f'  {name}:'), name)}: studies"
    )


def test_names_at_the_limits_are_accepted(read):
    for name in ("x" * 19, "ab" * 19 + "c", "-".join("abcdefghij") * 5):
        assert list(read(edited("  mine:", f"  {name}:").replace("[mine]", f"[{name}]")).studies)
    assert (repeated_end("b" + "a" * 19), repeated_end("b" + "a" * 20)) == ("", "a")


def test_names_of_materials_never_end_in_many_equal_parts():
    keys = {Material((3.0, 1.7, *(1.2,) * n)).key() for n in range(15, 40)}
    assert len(keys) == 25
    assert not any(map(repeated_end, keys))
    assert slug({"": next(iter(keys))}) in keys


# ---- quantities ----


@pytest.mark.fault(
    "quantities that no tissue has, that are too long, or whose units take for ever",
    "refused with what is accepted",
)
@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("5 um**(9**9**9)/um**(9**9**9)", "length", 'unknown unit "um**(9**9**9)/um**(9**9**9)"'),
        ("5 um**9**9**9", "length", "unknown unit"),
        ("5 um^9²²²²²²²²²", "length", "unknown unit"),
        ("5 um^-9^9^9^9", "length", "unknown unit"),
        ("5 um*1e9", "length", "unknown unit"),
        (f"5{' ' * 200_000}um", "length", f'found "5{" " * 59}..." (too long)'),
        (f"{'1' * 100_000} um", "length", f'found "{"1" * 60}..." (too long)'),
        (f"5 {'u' * 50}{'^' * 40}", "length", "unknown unit"),
        ("٥ um", "length", 'found "٥ um"'),
        ("５ um", "length", 'found "５ um"'),
        ("5 um\0", "length", 'found "5 um\\x00"'),
        ("5 \ud800", "length", 'found "5 \\ud800"'),
        (
            "1e200 m",
            "length",
            'found "1e200 m", accepted: a length with its unit, such as "6 um", ',
        ),
        ("1e12 m/s", "permeability", "from 1e-9 to 1000 um/ms"),
        ("1e-300 um^2/ms", "diffusivity", "from 1e-6 to 1000 um^2/ms"),
        ("1e-999 um^2/ms", "diffusivity", "from 1e-6 to 1000 um^2/ms"),
        ("1e-400 m/s", "permeability", "from 1e-9 to 1000 um/ms"),
        ("1e300 ms", "time", "from 0.001 to 10000 ms"),
    ],
)
def test_quantities_that_no_tissue_has_are_refused(text, kind, found):
    with pytest.raises(UnitError) as refusal:
        parse(text, kind)
    assert found in str(refusal.value)


@pytest.mark.parametrize("kind", UNITS)
def test_ranges_of_quantities_hold_their_ends_and_zero(kind):
    unit = UNITS[kind]
    for value in (unit.least, unit.most, -unit.most, 0.0):
        assert parse(f"{value!r} {unit.internal}", kind) == value
    for value in (unit.least / 1.01, unit.most * 1.01, -unit.least / 1.01):
        with pytest.raises(UnitError, match=re.escape(unit.range)):
            parse(f"{value!r} {unit.internal}", kind)


@pytest.mark.parametrize(
    ("old", "new", "key", "found"),
    [
        ("12 um]", "1e200 m]", "period[1]", '"1e200 m"'),
        ("[8e-5 m/s]", "1e12 m/s", "permeability", '"1e12 m/s"'),
        (DIFFUSIVITY, "outside: 1e-300 um^2/ms", "diffusivity.outside", '"1e-300 um^2/ms"'),
        ("20 ms]", "1e300 ms]", "waveform.Delta[1]", '"1e300 ms"'),
        ("12 um]", f"5{' ' * 900}um]", "period[1]", f'"5{" " * 59}..." (too long)'),
        ("12 um]", f"{'1' * 900} um]", "period[1]", f'"{"1" * 60}..." (too long)'),
        ("12 um]", "١٢ um]", "period[1]", '"١٢ um"'),
        (DELTA, "delta: 4 ms, Delta: 12 ms, cycles: ٣", "waveform.cycles", "the unknown key"),
    ],
)
def test_impossible_quantities_are_refused_where_they_stand(messages, old, new, key, found):
    (message,) = messages(edited(old, new))
    assert f"studies.mine.{key}: found {found}" in message
    assert message.startswith(
        f"mine.yaml:{line_of(GOOD, key.partition('.')[0].partition('[')[0])}:"
    )


def test_numbers_of_other_scripts_are_none(messages):
    ogse = "{kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: ٣}"
    (message,) = messages(with_gradients(f"waveform: {ogse}", B_VALUES, "directions: [[1, 0]]"))
    assert 'studies.mine.waveform.cycles: found "٣", accepted: a whole number' in message


# ---- work ----


@pytest.mark.fault(
    "studies with too many points, orders, turns of the phase, or one mesh",
    "refused with their line and key",
)
@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (PERIODS, "{start: 1 um, stop: 2 um, num: 100000}", 'num: found "100000"'),
        (
            f"period: {PERIODS}\n    permeability: [8e-5 m/s]",
            "period: {start: 1 um, stop: 2 um, num: 9000}\n"
            "    permeability: {start: 1e-5 m/s, stop: 2e-5 m/s, num: 9000}",
            "mine.yaml:12: studies.mine: found 324000000 points (9000 of period, 9000 of "
            "permeability, 2 of Delta, 2 of b), accepted: at most 100000 in a configuration",
        ),
        (
            PERIODS,
            "{start: 1 um, stop: 2 um, num: 9000}",
            "found 36000 points that are solved in full (9000 of period, 2 of Delta, 2 of b), "
            "accepted: at most 20000 in a configuration",
        ),
        (
            MODELS,
            "[R0, R99]",
            'studies.mine.models[1]: found "R99", accepted: reference, R0, R1, ..., R20',
        ),
        (MODELS, "[P99]", 'found "P99", accepted: reference, R0, R1, ..., R20'),
        (
            "mesh: {size: 0.05}",
            "mesh: {size: 0.05, refinements: 0}",
            "studies.mine.geometry: found tissue, with one mesh, accepted: a geometry with "
            "mesh.refinements of 1 or more: two meshes tell the error",
        ),
        (
            B_VALUES,
            "q: 90 rad/um",
            "studies.mine.q: found wave numbers up to 1.08e+03 rad per period",
        ),
        (
            "[6 um, 12 um]",
            "0.1 um",
            "studies.mine.period: found D t / L^2 up to 6e+04, for t = 24 ms",
        ),
        (B_VALUES, "b: 300 ms/um^2", "studies.mine.b: found b D up to 750, accepted: at most 600"),
        ("inside: 1.2e-3", "inside: 1e-6", "studies.mine.permeability: found kappa L / D up to"),
        (
            "    period:",
            "    T2: {outside: 0.01 ms, inside: 0.02 ms}\n    period:",
            "an echo after",
        ),
        ("directions: [[1, 0]]", "directions: [[1e-300, 0]]", "found a vector of length 1e-300"),
        ("directions: [[1, 0]]", f"directions: [[{'1, ' * 500}0]]", "found a list of 501"),
        (
            "period:",
            "density: {outside: 1, inside: 1e-300}\n    period:",
            "a number, at least 0; if it is not 0, from 1e-6 to 1e6",
        ),
    ],
    ids=range(14),
)
def test_studies_that_ask_for_too_much_are_refused(messages, old, new, found):
    text = edited(old, new)
    if "kappa L" in found:
        text = text.replace("[8e-5 m/s]", "1 m/s").replace("[6 um", "[1000 um")
        text = text.replace("1e-6 mm^2/s", "1e-9 mm^2/s").replace(B_VALUES, "b: 1e-3 ms/um^2")
    if "D t" in found:
        text = text.replace(DIFFUSIVITY, "outside: 25e-3 mm^2/s")
    # Few things that are too much in one way are not so in another.
    assert any(found in message for message in messages(text))


def test_points_are_counted_over_all_studies(messages, monkeypatch):
    monkeypatch.setattr("torrey.config.scales.MOST_POINTS", 15)
    again = GOOD[GOOD.index("  mine:") : GOOD.index("figures:")].replace("mine", "again")
    (message,) = messages(GOOD.replace("figures:\n", f"{again}figures:\n"))
    assert "studies.again: found 8 points, beside 8 of other entries" in message


@pytest.mark.fault(
    "trains of 10^9 cycles, thousands of waveforms",
    "refused with their line and key",
)
@pytest.mark.parametrize(
    ("waveform", "found"),
    [
        ("{kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: 1000000000}", '"1000000000"'),
        (
            "{kind: trapezoid-ogse, delta: 10 ms, Delta: 20 ms, rise_time: 0.01 ms, "
            "cycles: {start: 1, stop: 100, num: 100}}",
            '"1"',
        ),
        (
            "{kind: pgse, delta: {start: 1 ms, stop: 2 ms, num: 900}, "
            "Delta: {start: 3 ms, stop: 4 ms, num: 9}}",
            "72900 segments of waveforms, accepted: at most 20000 in a configuration",
        ),
    ],
)
def test_waveforms_that_ask_for_too_much_are_refused(messages, waveform, found):
    lines = with_gradients(f"waveform: {waveform}", B_VALUES, "directions: [[1, 0]]")
    if found == '"1"':
        found = "segments of waveforms"
    assert any(found in message for message in messages(lines))


def test_long_trains_are_refused_and_the_longest_is_quick():
    with pytest.raises(InputError, match="at least 1 and at most 100"):
        CosineOgse(100.0, 120.0, 1e9)
    train = CosineOgse(100.0, 120.0, 100)
    # F = sin(omega t) in both trains, and zero between them.
    assert train.b_factor == pytest.approx(100.0, rel=1e-12)


def test_orders_are_lower_for_waveforms_of_several_components(read, messages):
    lines = (double(), B_VALUES, "directions: [[1, 0]]")
    good = with_gradients(*lines).replace(MODELS, "[reference, R8, P8]")
    assert read(good).studies["mine"].models == ("reference", "R8", "P8")
    found, again = messages(good.replace("R8, P8", "R9, P20"))
    assert "studies.mine.models[1]: found R9, accepted: orders up to 8 for a waveform" in found
    assert "models[2]: found P20" in again


def test_many_entries_and_many_problems_stay_readable(messages):
    many = "".join(f"  f{i}: {{studies: [nobody]}}\n" for i in range(900))
    found = messages(edited("figures:\n", f"figures:\n{many}"))
    assert len(found) == budgets.MOST_PROBLEMS_SHOWN + 1
    assert found[-1] == "and 800 more problems"
    many = "".join(f"  f{i}: {{studies: [mine]}}\n" for i in range(1001))
    assert (
        "figures: found 1003 entries, accepted: at most 1000"
        in messages(edited("figures:\n", f"figures:\n{many}"))[0]
    )


def test_long_lists_of_names_are_cut():
    assert quoted("x" * 61) == f'"{"x" * 60}..."'
    assert printable("a\nb\ud800c") == "a\\nb\\ud800c"


# ---- layers ----


@pytest.mark.fault(
    "layers of 1e-8 of the cell, whose models are lost in rounding",
    "refused with their line",
)
def test_layers_are_not_thinner_than_models_of_them_hold(messages):
    with pytest.raises(InputError, match="1e-08, accepted: a thickness of at least 0.001"):
        Layers((1 - 1e-8, 1e-8))
    assert Layers((0.999, 0.001)).n_compartments == 2
    (message,) = messages(edited("[0.6, 0.4]", "[0.99999999, 1e-8]"))
    assert "geometries.layers.thicknesses[1]: found 1e-08" in message
    assert MeshOptions().limit(1) >= 1


@pytest.mark.parametrize(
    ("mesh", "found"),
    [
        ("{size: 1e-5}", "found size 1e-05 with 1 refinement, about 9e+10 elements"),
        ("{size: 0.004, refinements: 3}", "about 9e+06 elements, accepted: at most 1,000,000"),
    ],
)
def test_a_mesh_that_no_machine_can_make_is_refused(messages, mesh, found):
    (message,) = messages(edited("mesh: {size: 0.05}", f"mesh: {mesh}"))
    assert "geometries.tissue.mesh: " in message
    assert found in message


# ---- documentation ----


def test_the_documentation_names_the_limits():
    text = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
    for unit in UNITS.values():
        assert f"| {unit.noun.split(' ', 1)[1]} | {unit.range.removeprefix('from ')} |" in text
    for number in (
        budgets.MOST_NODES,
        budgets.MOST_VALUES,
        budgets.MOST_POINTS,
        budgets.MOST_FULL_POINTS,
        budgets.MOST_ENTRIES,
        budgets.MOST_MEASUREMENTS,
        budgets.MOST_SAMPLES,
        budgets.MOST_CHARACTERS,
        int(budgets.MOST_PHASE),
        int(budgets.MOST_DIFFUSION),
    ):
        assert f"{number:,}" in text
    for number in (budgets.MOST_LEVELS, budgets.MOST_ORDER, budgets.MOST_NAME_CHARACTERS):
        assert f" {number}" in text
