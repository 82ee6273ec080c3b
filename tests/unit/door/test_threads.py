"""Cells may be asked from several threads, the first signal of a cell included."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import torrey as tr
from torrey.geometry.meshing import build_meshes

DISC = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
COARSE = tr.MeshOptions(0.3, 1)


def test_new_cells_in_threads_are_those_of_the_main_thread():
    together = Barrier(4)

    def ask(radius: float) -> float:
        together.wait()
        shape = tr.Discs((tr.Disc((0.5, 0.5), radius),))
        cell = tr.Cell(shape, 2, 10, 0.05, mesh=COARSE)
        return cell.signal(tr.Pgse(5, 25), b=1, direction=(1, 0), model="R0").item()

    radii = (0.25, 0.3, 0.35, 0.4)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, radii))
    together = Barrier(1)
    assert found == [ask(radius) for radius in radii]


def test_one_new_cell_in_two_threads():
    cell = tr.Cell(DISC, 2, 10, 0.05, mesh=COARSE)
    together = Barrier(2)

    def ask(b: float) -> float:
        together.wait()
        return cell.signal(tr.Pgse(5, 25), b=b, direction=(1, 0), model="R0").item()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, (1, 1))
    assert first == second


def test_meshing_gives_back_what_an_interrupt_does():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        build_meshes(DISC, COARSE)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
