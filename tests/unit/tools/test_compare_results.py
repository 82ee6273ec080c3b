"""The tool that compares two results trees finds what differs, and nothing else."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import netCDF4
import numpy as np
import pytest

TOOL = Path(__file__).parents[3] / "tools" / "compare_results.py"
SIGNALS = "studies/mine/signals.nc"


def load_tool():
    spec = importlib.util.spec_from_file_location("compare_results", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


compare_results = load_tool()

GOOD = {
    "signal": np.array([1.0, 0.5, 1e-3, np.nan]),
    "level": np.array([3, 2, 1, 0]),
    "model": np.array(["reference", "R0", "R2", "P3"], dtype=object),
    "level0/K": np.array([[2.0, -1.0], [-1.0, 2.0]]),
    "one": np.array(7.0),
}
CSV = "model,D,unit\nR0,2.5,um^2/ms\nR2,1e-3,um^2/ms\n"
MARKDOWN = "# Tensors\n\n| model | D |\n| ----- | ------: |\n| R0 | 2.5 |\n"


def write(path: Path, variables: Mapping[str, np.ndarray], **attributes: str) -> None:
    """Write variables, whose names hold their groups, to a NetCDF file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w") as file:
        file.setncatts(attributes)
        for full, values in variables.items():
            *groups, name = full.split("/")
            group = file.createGroup("/".join(groups)) if groups else file
            dimensions = [f"{name}_{axis}" for axis in range(values.ndim)]
            for dimension, length in zip(dimensions, values.shape, strict=True):
                group.createDimension(dimension, length)
            kind = str if values.dtype == object else values.dtype
            group.createVariable(name, kind, dimensions)[...] = values


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two equal trees."""
    for tree in ("old", "new"):
        write(tmp_path / tree / SIGNALS, GOOD, code_digest=tree)
        tables = tmp_path / tree / "tables"
        tables.mkdir()
        (tables / "t.csv").write_text(CSV)
        (tables / "t.md").write_text(MARKDOWN)
        (tables / "t.png").write_bytes(tree.encode())
        (tmp_path / tree / "logs").mkdir()
        (tmp_path / tree / "logs" / f"{tree}.log").write_text(tree)
    return tmp_path / "old", tmp_path / "new"


@pytest.fixture
def compare(trees, capsys) -> Callable[..., tuple[int, str]]:
    """Exit code and output for the two trees, after some variables of the new signals changed."""

    def compare(*options: str, **changed: object) -> tuple[int, str]:
        if changed:
            write(trees[1] / SIGNALS, GOOD | {name: np.array(v) for name, v in changed.items()})
        code = compare_results.main([*map(str, trees), *options])
        return code, capsys.readouterr().out

    return compare


def test_equal_trees_agree_whatever_their_attributes_pictures_and_logs(compare):
    code, said = compare()
    assert code == 0
    assert "| studies/signals | 1 | 5 | 0 | 0 | |" in said
    assert "| tables .csv | 1 | 6 | 0 | 0 | |" in said
    assert "differs" not in said


def test_a_difference_beyond_the_tolerance_is_found_where_it_is(compare):
    code, said = compare(signal=[1.0, 0.5 + 1e-9, 1e-3, np.nan])
    assert code == 1
    assert f"{SIGNALS}:signal differs by 1e-09: [1]: 0.5 and 0.500000001" in said
    assert "| studies/signals | 1 | 5 | 1 | 1e-09 |" in said


def test_differences_are_relative_to_the_largest_value_unless_asked_by_element(compare):
    changed = [1.0, 0.5, 1e-3 + 1e-12, np.nan]
    assert compare(signal=changed)[0] == 0
    assert compare("--elementwise")[0] == 1
    assert compare("--elementwise", "--tolerance", "1e-8")[0] == 0
    assert compare("--elementwise", "--floor", "1e-11")[0] == 0


@pytest.mark.parametrize(
    ("changed", "said_so"),
    [
        ({"signal": [1.0, 0.5, 1e-3, 0.0]}, "signal differs by inf: [3]: nan and 0.0"),
        ({"signal": [1.0, np.inf, 1e-3, np.nan]}, "signal differs by inf: [1]: 0.5 and inf"),
        ({"signal": [1.0, 0.5, 1e-3]}, "signal differs by inf: float64 (4,) and float64 (3,)"),
        ({"one": np.array("7", dtype=object)}, "one differs by inf: float64 () and"),
        ({"level": [3, 2, 1, 1]}, "level differs by 0.33: [3]: 0.0 and 1.0"),
        (
            {"model": np.array(["reference", "R0", "R1", "P3"], dtype=object)},
            "model differs by inf: [2]: R2 and R1",
        ),
        ({"level0/K": [[2.0, -1.0], [-1.0, 2.5]]}, "level0/K differs by 0.2: [1, 1]: 2.0 and 2.5"),
        ({"one": 8.0}, "one differs by 0.12: []: 7.0 and 8.0"),
    ],
)
def test_what_no_rounding_explains_is_found(compare, changed, said_so):
    code, said = compare(**changed)
    assert code == 1
    assert f"{SIGNALS}:{said_so}" in said


def test_a_fill_value_is_a_missing_number(trees, compare):
    for tree, fill in zip(trees, (1e30, 2e30), strict=True):
        path = tree / "tensors" / "cell" / "water" / "tensors.nc"
        path.parent.mkdir(parents=True)
        with netCDF4.Dataset(path, "w") as file:
            file.createDimension("axis", 2)
            file.createVariable("D", "f8", ("axis",), fill_value=fill)[0] = 1.0
    assert compare()[0] == 0
    with netCDF4.Dataset(path, "a") as file:
        file["D"][0] = 1.0 + 1e-9  # would vanish beside the fill value
    assert compare()[0] == 1


def test_a_missing_file_is_a_difference_unless_allowed(trees, compare):
    (trees[1] / "tables" / "t.csv").unlink()
    code, said = compare()
    assert code == 1
    assert "tables .csv: tables/t.csv differs by inf: only in the old" in said
    assert compare("--allow-missing", "tables/*.csv")[0] == 0
    assert compare("--allow-missing", "figures/*")[0] == 1


def test_a_new_variable_is_a_difference_unless_allowed(trees, compare):
    write(trees[1] / SIGNALS, GOOD | {"b_tensor": np.eye(2)})
    code, said = compare()
    assert code == 1
    assert f"{SIGNALS}:b_tensor differs by inf: only in the new" in said
    assert compare("--allow-missing", "*/signals.nc:b_tensor")[0] == 0


def test_variables_and_groups_may_have_new_names(trees, compare):
    names = {"signal": "signal_real", "level0/K": "mesh0/K", "level": "mesh"}
    write(trees[1] / SIGNALS, {names.get(name, name): values for name, values in GOOD.items()})
    assert compare("--rename", "signal=signal_real")[0] == 1
    renamed = ["--rename", "signal=signal_real", "--rename", "level0=mesh0"]
    assert compare(*renamed, "--rename", "level=mesh")[0] == 0


def test_two_variables_cannot_get_one_name(compare):
    with pytest.raises(SystemExit, match="one name"):
        compare("--rename", "signal=level")


def test_files_may_have_moved(trees, compare):
    (trees[1] / "studies").rename(trees[1] / "sweeps")
    assert compare()[0] == 1
    assert compare("--moved", "studies/=sweeps/")[0] == 0


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("t.csv", "2.5", "2.50000000001", 0),
        ("t.csv", "2.5", "2.500000001", 1),
        ("t.csv", "2.5", "", 1),
        ("t.csv", "R2", "R3", 1),
        ("t.csv", "R2,1e-3,um^2/ms\n", "", 1),
        ("t.md", "| R0 |", "|   R0 |", 0),
        ("t.md", "| ----- |", "| --- |", 0),
        ("t.md", "2.5", "2.6", 1),
        ("t.md", "Tensors", "Vectors", 1),
    ],
)
def test_tables_are_compared_by_their_cells(trees, compare, name, old, new, code):
    path = trees[1] / "tables" / name
    path.write_text(path.read_text().replace(old, new))
    assert compare()[0] == code


@pytest.mark.parametrize("old", ["old", "empty"])
def test_trees_without_a_common_file_do_not_pass(tmp_path, trees, capsys, old):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as ended:
        compare_results.main([str(tmp_path / old), str(tmp_path / "empty"), "--allow-missing", "*"])
    assert ended.value.code == 2
    assert "no file in common" in capsys.readouterr().err
