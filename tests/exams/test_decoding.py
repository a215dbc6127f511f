from __future__ import annotations

from collections.abc import Iterator

from workflow.data.pool import Result
from workflow.data.worker import Answer, Refusal
from workflow.exams import decoding


def test_answers_that_come_early_wait_for_those_before_them() -> None:
    def answer(spool: int, start: int, stop: int, refused: int = 0) -> Result:
        refusals = [Refusal(place, "skipped", "is empty", "empty", True) for place in range(refused)]
        return Result(spool, start, stop, Answer(refusals, b"", b"", b""))

    def answers() -> Iterator[Result]:
        yield answer(0, 4, 8, refused=1)
        yield answer(1, 0, 4)
        yield answer(0, 8, 9)
        yield answer(1, 9, 10)

    order = [(one.start, one.spool, offset) for one, offset in decoding._in_order(answers())]
    assert order == [(0, 1, 0), (4, 0, 0), (8, 0, 3), (9, 1, 4)]
