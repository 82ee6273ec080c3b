"""Mutated configurations and files are accepted or refused, quickly, and never a traceback.

``benchmarks/fuzzing.py`` does the same 10,000 times, with the memory that it takes.
"""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.documents import configurations, write_files
from support.examination import KINDS, configuration_from_structure

from torrey.config import load

# What is not refused at once takes minutes, on any machine.
SECONDS = 30.0

given_randoms = given(random=st.randoms(use_true_random=False))
some = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    write_files(folder)
    return folder


def test_what_is_mutated_is_accepted(folder):
    for text in configurations():
        (folder / "mine.yaml").write_text(text, encoding="utf-8")
        load([folder / "mine.yaml"])


@pytest.mark.fault(
    "120 mutated configurations or files of acquisitions",
    "each accepted or refused within seconds, no traceback",
)
@pytest.mark.parametrize("kind", KINDS)
def test_mutated_inputs_are_accepted_or_refused(kind, folder):
    seen = set()

    @some
    @given_randoms
    def check(random):
        start = time.process_time()
        outcome, _ = KINDS[kind](random, folder)
        seen.add(outcome)
        assert time.process_time() - start < SECONDS

    check()
    assert seen == {"accepted", "refused"}


def test_a_seed_gives_the_same_inputs(folder):
    first, second = (configuration_from_structure(Random(7), folder) for _ in range(2))
    assert first == second
