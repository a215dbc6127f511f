"""What is said of the gain of several workers."""

from __future__ import annotations

from workflow.engines.base import Ranks
from workflow.engines.torch_cpu.expected import words


def test_the_gain_is_that_over_all_micro_batches_in_one_process():
    """Four micro-batches, two of them here: 30 ms for all would be 60 in one process."""
    said = words(Ranks(workers=2, micro=4), 0.03, 0.01)
    assert said.startswith(
        "an iteration takes 40 ms, 10 ms of which exchange gradients: 1.5 times the speed of one worker"
    )
    assert "--batch each would give about 1.7 times" in said  # 2 * 60 / 70


def test_the_gain_of_larger_batches():
    said = words(Ranks(workers=4, rule="each", micro=4), 0.06, 0.02)
    assert said == (
        "an iteration takes 80 ms, 20 ms of which exchange gradients: "
        "3.0 times as many pictures a second as one worker, in larger batches"
    )
