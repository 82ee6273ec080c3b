"""The search for the cheapest run of FreeFEM that is accurate enough, on runs that are formulas."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
TRUTH = 0.18


def module() -> ModuleType:
    """benchmarks/freefem.py."""
    spec = importlib.util.spec_from_file_location("freefem", ROOT / "benchmarks" / "freefem.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["freefem"] = found
    spec.loader.exec_module(found)
    return found


F = module()


def formula(settings):
    """A run whose error is that of straight edges and of extrapolated Crank-Nicolson."""
    mesh = 0.01 / settings.nbox**4 if settings.arc else -0.1 / settings.ncircle**2
    seconds = 1e-4 * settings.nbox**2.5 * settings.pulse
    return F.Run(seconds, TRUTH + mesh - 0.02 / settings.pulse**4, 7 * settings.nbox**2)


def searched(target, arc=False, n_meshes=1, limit=60.0):
    """The outcome of a search, and all runs that were made after the survey."""
    survey = F.Survey.make(formula, 20.0)
    made = []

    def runs(settings):
        made.append(settings)
        return formula(settings)

    forecasts = survey.forecasts(survey.attempts(arc, n_meshes), TRUTH)
    return F.cheapest(forecasts, lambda a: F.outcome(a, runs, TRUTH), target, limit), made


def test_the_script_reads_what_settings_say_and_has_the_same_defaults():
    text = F.SCRIPT.read_text(encoding="utf-8")
    read = re.findall(r'option\("(-\w+)", (\d+)\)', text)
    told = F.Settings().arguments()
    assert dict(read) == dict(zip(told[::2], told[1::2], strict=True))


@pytest.mark.parametrize("target", [1e-3, 1e-4, 1e-5])
def test_nothing_on_the_grid_that_is_accurate_enough_takes_less(target):
    found, _ = searched(target)
    grid = [
        F.Settings(side, round(side * share), pulse)
        for side in F.SIDES
        for share in F.SHARES
        for pulse in F.STEPS
    ]
    enough = [s for s in grid if abs(formula(s).signal - TRUTH) <= target * TRUTH]
    assert found.error <= target
    assert found.seconds == pytest.approx(min(formula(s).seconds for s in enough))


def test_two_meshes_take_the_error_of_straight_edges_away():
    attempt = F.Attempt.between(F.Settings(10, 64, 20), F.Settings(14, 90, 20))
    assert sum(weight for weight, _ in attempt.runs) == pytest.approx(1.0)
    found = F.outcome(attempt, formula, TRUTH)
    assert found.error == pytest.approx(0.02 / 20**4 / TRUTH, rel=1e-6)
    runs = [formula(settings) for _, settings in attempt.runs]
    assert found.seconds == pytest.approx(sum(run.seconds for run in runs))
    assert abs(runs[0].signal - TRUTH) > 50 * found.error * TRUTH


def test_what_would_take_too_long_is_not_run():
    found, made = searched(1e-7)
    assert found is None
    assert made == []


def test_only_what_was_measured_counts():
    quick, slow, wrong = (F.Attempt.on(F.Settings(nbox=n)) for n in (5, 7, 10))
    forecasts = [F.Outcome(a, s, 1e-4) for a, s in ((quick, 1.0), (slow, 2.0), (wrong, 0.5))]
    measured = {
        quick: F.Outcome(quick, 3.0, 1e-4),
        slow: F.Outcome(slow, 2.5, 1e-4),
        wrong: F.Outcome(wrong, 0.4, 2e-3),
    }
    assert F.cheapest(forecasts, measured.get, 1e-3, 60.0) == measured[slow]
    # One that was ended, and nothing after the limit is spent.
    assert F.cheapest(forecasts, lambda a: None, 1e-3, 60.0) is None
    assert F.cheapest(forecasts, measured.get, 1e-3, 2.2) == measured[quick]


def test_the_extrapolated_signal_is_nearer_than_any_run_behind_it():
    made = []

    def runs(settings):
        made.append(settings)
        return formula(settings)

    found = F.limit_of(runs)
    assert abs(found - TRUTH) < 0.1 * min(abs(formula(s).signal - TRUTH) for s in made)
    assert F.limit_of(lambda s: None if s.nbox == 40 else formula(s)) is None


def test_errors_that_cancel_are_not_looked_for():
    """Of the mesh and of the steps: what is found misses as little with steps without end."""
    target = 2e-5
    for found, _ in (searched(target, arc=True), searched(target)):
        ((_, settings),) = found.attempt.runs
        endless = F.replace(settings, pulse=10**6)
        assert abs(formula(endless).signal - TRUTH) <= target * TRUTH
    survey = F.Survey.make(formula, 20.0)
    attempts = survey.attempts(True, 1)
    true = [F.outcome(attempt, formula, TRUTH) for attempt in attempts]
    lucky = min((o for o in true if o.error <= target), key=lambda o: o.seconds)
    assert lucky.seconds < searched(target, arc=True)[0].seconds
