from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from squares import Squares

from workflow.cluster.local import Local
from workflow.cluster.parts import Part, cut, fixed
from workflow.cluster.receipt import in_order
from workflow.cluster.result_file import read_result
from workflow.cluster.team import Team

NUMBERS = [str(number).encode() for number in range(30)]


def test_workers_that_wait_for_a_place_get_that_of_another(tmp_path):
    """As on a cluster with fewer free cores than it has said."""
    places = threading.BoundedSemaphore(2)

    class Guest(Local):
        """Begins once there is a place for it, which it keeps."""

        def __init__(self, work: Squares, folder: Path) -> None:
            super().__init__(work, folder)
            self._seated = False

        def begin(self) -> list[str]:
            self._seated = places.acquire(timeout=60)
            assert self._seated
            return super().begin()

        def end(self) -> None:
            if self._seated:
                places.release()
            self._seated = False

    parts: list[Part] = list(cut(fixed(30, 4), lambda start, stop: NUMBERS[start:stop]))
    with Team(lambda: Guest(Squares(), tmp_path), tmp_path, 5, 3) as team:
        found = [read_result(receipt.path)[1]["squares"] for receipt in in_order(team.receipts(parts))]
    assert np.concatenate(found).tolist() == [number**2 for number in range(30)]
