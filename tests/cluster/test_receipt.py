from __future__ import annotations

from pathlib import Path

from workflow.cluster.parts import Part
from workflow.cluster.receipt import Receipt, in_order


def test_receipts_that_come_early_wait_for_those_before_them():
    parts = [Part(number=number, start=3 * number, items=(b"a",) * 3) for number in range(4)]
    receipts = [Receipt.of(one, Path("parts")) for one in parts]
    assert receipts[3].path == Path("parts/part-000003")
    assert list(in_order([receipts[one] for one in (1, 0, 3, 2)])) == receipts
