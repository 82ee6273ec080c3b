"""Tables of measured signals in a notebook."""

from __future__ import annotations

import numpy as np
import pytest
from support.measured_files import table_text

import torrey as tr

VOXELS = {"grey": (2.4, 0.4, 0.5, 15.0), "white": (2.2, 0.4, 0.6, 30.0)}


@pytest.fixture
def table(tmp_path):
    (tmp_path / "s.csv").write_text(table_text(VOXELS, 1e-3, 900.0), encoding="utf-8")
    return tmp_path / "s.csv"


def test_a_table_is_fitted_in_a_line(table):
    found = tr.fit(table, sigma=0.9, fixed={"D_e": "2.3e-3 mm^2/s"}, bounds={"f": (0.1, 0.9)})
    assert found.voxel.values.tolist() == ["grey", "white"]
    assert "D_e" not in found
    assert np.all(found.t_ex_lower < found.t_ex)
    assert np.all(found.t_ex < found.t_ex_upper)
    assert found.t_ex.values == pytest.approx([15.0, 30.0], rel=0.3)
    assert found.t_ex.attrs["units"] == "ms"
    assert found.attrs["model"] == "karger"


def test_what_cannot_be_fitted_is_refused_as_it_was_called(table):
    for call, said in (
        (lambda: tr.fit("no.csv"), r"fit\(table=...\): found no.csv: No such file"),
        (lambda: tr.fit(table, "kargr"), r"fit\(model=...\)"),
        (lambda: tr.fit(table, "karger-tensor"), "a direction in each row"),
        (lambda: tr.fit(table, fixed={"D_x": 1.0}), r"fit\(fixed=...\): .*D_e, D_c, f or t_ex"),
        (lambda: tr.fit(table, sigma="0.1 ms"), r"fit\(sigma=...\): .*a number above 0"),
        (lambda: tr.fit(table, sigma=0), r"fit\(sigma=...\): found \"0\""),
        (lambda: tr.fit(table, bounds={"t_ex": 3}), r"fit\(bounds=...\)"),
        (lambda: tr.fit(table, fixed={"D_e": "2 ms"}), "a diffusivity"),
        (lambda: tr.fit(table, bounds={"f": (10, 90)}), "bounds.f: found 10, accepted: .*0 to 1"),
        (lambda: tr.fit(table, "sandix", D_sphere="-3e-3 mm^2/s"), "D_sphere: found -3.0,"),
        (lambda: tr.fit(table, compare=["karger"]), r"fit\(compare=...\)\[0\]: .*other models"),
    ):
        with pytest.raises(tr.InputError, match=said):
            call()
