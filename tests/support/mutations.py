"""Mutations of texts and of structures, drawn from a source of random numbers.

The source is one of hypothesis in the tests, which shrinks what fails, and a seeded one in
``benchmarks/fuzzing.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import yaml

#: Values that mean nothing, too much or something else than where they stand.
NASTY: tuple[str, ...] = (
    "", "0", "-1", "1", "1e300", "-1e300", "1e-300", "5e-324", ".nan", ".inf", "-.inf", "nan",
    "1_000", "0x10", "1e400", "9" * 400, "٣", "１２", "²", "1e", "--1", "+.5", "1.5", "2", "100",
    "1000000000", "4294967296", "true", "no", "null", "~", "[]", "{}", "[[]]", "[1, [2, [3]]]",
    "[1, 0]", "[0, 0]", "[1, 0, 0]", "[1e-200, 1e-200]", "[1e200, 1e200]", "[0.5, 0.5]",
    "{start: 1, stop: 2, num: 3}", "{start: 1 um, stop: 1e3 um, num: 100000}",
    "{start: 1 ms, stop: 2 ms, num: 9000}", "{start: 0 m/s, stop: 1e-4 m/s, num: 99, scale: log}",
    "{kind: pgse, delta: 1 ms, Delta: 1 ms}", "{kind: nobody}", "{kind: [pgse]}", "{kind: {a: 1}}",
    "6 um", "1e200 m", "1e-9 um", "1e4 um", "0.01 um", "5 ms", "1e300 ms", "1e4 ms", "1e-3 ms",
    "0 ms", "-5 ms", "1e12 m/s", "1 m/s", "1e-12 m/s", "1e-300 um^2/ms", "1e3 um^2/ms",
    "1e-6 um^2/ms", "850 s/mm^2", "1e6 s/mm^2", "1e3 ms/um^2", "100 rad/um", "1e9 T/m", "300 mT/m",
    "360 deg", "1e9 deg", "5 um**(9**9**9)", "5 um^9^9^9", "5 um²²²²²²", "5 " + "(" * 40 + "um",
    "5 kg", "5 dB", "5 degC", "5", "um", "5 um; import os", "6\tum", "6\u00a0um", "６ um",
    "infinite", "R0", "R2", "R20", "R99", "P20", "P99", "lumped-R2", "Pade", "reference", "R٢",
    "water", "obstacle", "cells", "mine", "nobody", "a" * 20, "a" * 99, "a" * 252, "../x", "/x",
    "/dev/zero", "/dev/null", "/proc/self/mem", "/proc/kcore", ".", "..", "dwi.bval", "x" * 300,
    "pulses.scheme", "bipolar.csv", '"\\0"', '"\\ud800"', '"\\n"', '"a\\0b.csv"', "\ufeff", "*a",
    "&a [*a]", "&a b", "<<", "!!python/object:os.system x", "!!int x", "!x y", "|", ">", "? a",
    "@", "`", "%", "'", '"', "{", "[", "}", "]", ":", "- ", "#", "---", "...", "\x85", "\u2028",
    "[" * 40 + "]" * 40, "{a: " * 30 + "1" + "}" * 30, " " * 300, "x" * 1_500,
    "[" + "1, " * 700 + "1]",
)  # fmt: skip

#: What quantities are made of, and what is near it.
PIECES: tuple[str, ...] = (
    *"0123456789.+-eE*/^()[]{}<>=!?,;:_#%&|~'\"\\ \t\n", " ", " ", "1", "2.5", "1e-3", "1e9", "5 ",
    "um", "ms", "mm", "s", "m", "T", "mT", "rad", "deg", "µm", "μm", "mm^2/s", "um**2", "s/mm^2",
    "m/s", "rad/um", "mT/m", "^2", "**2", "²", "⁻¹", "**(2)", "^-1", "**9**9", "(9**9)", "·", "°",
    "dB", "degC", "kg", "lambda", "__class__", "inf", "nan", "9" * 30, "٣", "１", "\0", "\ud800",
    "\u00a0", "\u2009", "\u2212", "x" * 50, "(" * 20, ")" * 20, "*" * 10,
)  # fmt: skip

#: Mutations of one input: most have few, and get further.
_HOW_MANY = (1, 1, 1, 1, 2, 3, 6)

NAMES = (
    "kind", "cells", "center", "radius", "mesh", "size", "refinements", "geometry", "period", "b",
    "q", "gradient", "directions", "waveform", "models", "tolerance", "acquisition", "studies",
    "geometries", "figures", "bloch", "tables", "inversions", "<<", "", "a" * 20, "ab" * 20,
    "a" * 101, "naïve", "a b", "a/b", "..", "\ud800", "\0", "kl23_fig4", "layer_limit", "1", "null",
)  # fmt: skip


def mutate_text(random: Random, text: str) -> bytes:
    """A text with a few mutations, in bytes that need not be UTF-8."""
    for _ in range(random.choice(_HOW_MANY)):
        text = random.choice(_ON_TEXTS)(random, text)
    content = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        content = _flip(random, content)
    if random.random() < 0.02:
        content = text.encode(random.choice(["utf-16", "utf-32", "latin-1", "utf-7"]), "replace")
    return content


def mutate_structure(random: Random, text: str) -> bytes:
    """A configuration with other keys and values, written anew."""
    root = yaml.safe_load(text)
    for _ in range(random.choice(_HOW_MANY)):
        places = list(_places(root))
        if not places:
            break
        holder, key = random.choice(places)
        random.choice(_ON_PLACES)(random, holder, key)
    dumped: str = yaml.safe_dump(root, sort_keys=False, allow_unicode=random.random() < 0.5)
    # Nasty texts are YAML of their own: without quotes they are read as that.
    quoted = random.random() < 0.5
    for number, nasty in enumerate(NASTY):
        dumped = dumped.replace(_marked(number), json.dumps(nasty) if quoted else nasty)
    return dumped.encode("utf-8", "surrogatepass")


def _marked(number: int) -> str:
    return f"NASTY{number:03d}"


def _places(value: Any) -> Any:
    """All places in lists and mappings, as what holds them and their key."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _replace(random: Random, holder: Any, key: Any) -> None:
    holder[key] = _marked(random.randrange(len(NASTY)))


def _delete(random: Random, holder: Any, key: Any) -> None:
    del holder[key]


def _wrap(random: Random, holder: Any, key: Any) -> None:
    value = holder[key]
    wrapped: tuple[Any, ...] = ([value], {"a": value}, [value, value], {"start": value}, [[value]])
    holder[key] = random.choice(wrapped)


def _scale(random: Random, holder: Any, key: Any) -> None:
    """Another number of the same unit; anything else stays."""
    number, space, unit = str(holder[key]).partition(" ")
    try:
        value = float(number) * 10.0 ** random.uniform(-3.0, 3.0)
    except ValueError:
        return
    holder[key] = f"{value:.3g}{space}{unit}"


def _number(random: Random, holder: Any, key: Any) -> None:
    sign, exponent = random.choice((-1.0, 1.0)), random.randint(-320, 308)
    holder[key] = sign * random.random() * 10.0**exponent


def _rename(random: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[random.choice(NAMES)] = holder.pop(key)


def _repeat(random: Random, holder: Any, key: Any) -> None:
    """Many times the same, which the YAML writer makes aliases of."""
    holder[key] = [holder[key]] * random.choice((2, 30, 300))


def _swap(random: Random, holder: Any, key: Any) -> None:
    other = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


_ON_PLACES: tuple[Callable[[Random, Any, Any], None], ...] = (
    _replace, _replace, _replace, _delete, _wrap, _number, _rename, _repeat, _swap, _scale, _scale,
    _scale,
)  # fmt: skip


def _some_lines(change: Callable[[Random, list[str], int], None]) -> Callable[[Random, str], str]:
    def on_text(random: Random, text: str) -> str:
        lines = text.split("\n")
        change(random, lines, random.randrange(len(lines)))
        return "\n".join(lines)

    return on_text


def _drop_line(random: Random, lines: list[str], i: int) -> None:
    del lines[i]


def _double_line(random: Random, lines: list[str], i: int) -> None:
    lines[i:i] = [lines[i]] * random.choice((1, 1, 50))


def _swap_lines(random: Random, lines: list[str], i: int) -> None:
    j = random.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]


def _indent_line(random: Random, lines: list[str], i: int) -> None:
    lines[i] = random.choice(("  ", "\t", " ", "      ")) + lines[i]


def _replace_word(random: Random, text: str) -> str:
    """Put a nasty value in the place of a word, or of what stands behind a colon."""
    separator = random.choice((" ", ": ", ", ", "\n", "(", ","))
    words = text.split(separator)
    words[random.randrange(len(words))] = random.choice(NASTY)
    return separator.join(words)


def _insert(random: Random, text: str) -> str:
    i = random.randrange(len(text) + 1)
    return text[:i] + random.choice((*NASTY, "\0", "\ud800", "\t", "\r", "\x1b")) + text[i:]


def _cut(random: Random, text: str) -> str:
    i, j = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
    return text[:i] + text[j:] if random.random() < 0.5 else text[i:j]


def _digit(random: Random, text: str) -> str:
    digits = [i for i, letter in enumerate(text) if letter.isdigit()]
    if not digits:
        return text
    i = random.choice(digits)
    return (
        text[:i] + random.choice(("", "9", "-", "e", "e9", "e-9", ".", "00", "٣")) + text[i + 1 :]
    )


_ON_TEXTS: tuple[Callable[[Random, str], str], ...] = (
    _some_lines(_drop_line), _some_lines(_double_line), _some_lines(_swap_lines),
    _some_lines(_indent_line), _replace_word, _replace_word, _replace_word, _insert, _cut, _digit,
    _digit, _digit,
)  # fmt: skip


def _flip(random: Random, content: bytes) -> bytes:
    """Change a few bytes."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)
