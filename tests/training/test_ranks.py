"""How batches are dealt out: by the settings, and by what a run was begun with."""

from __future__ import annotations

import pytest

from workflow.config import Train
from workflow.engines.base import Ranks
from workflow.errors import UsageError
from workflow.generations.record import Training
from workflow.training import ranks

SPLIT = Training(workers=2, batch="split", micro=4, threads=3)
EACH = Training(workers=2, batch="each", micro=2, threads=1)
PLAIN = Training(threads=2)


@pytest.mark.parametrize(
    ("settings", "before", "expected"),
    [
        (Train(), None, None),
        (Train(), PLAIN, None),
        (Train(batch="each"), None, None),
        (Train(workers=2), None, Ranks(workers=2, micro=2)),
        (Train(workers=2, micro=4), None, Ranks(workers=2, micro=4)),
        (Train(micro=4), None, Ranks(micro=4)),
        (Train(), SPLIT, Ranks(micro=4)),
        (Train(workers=4), SPLIT, Ranks(workers=4, micro=4)),
        (Train(workers=2, micro=6), SPLIT, Ranks(workers=2, micro=6)),
        (Train(micro=1), SPLIT, None),
        (Train(workers=3, batch="each"), SPLIT, Ranks(workers=3, rule="each", micro=3)),
        (Train(workers=3), EACH, Ranks(workers=3, micro=3)),
    ],
)
def test_micro_batches_are_those_that_the_run_was_begun_with(settings, before, expected):
    assert ranks.ranks_of(settings, before) == expected


@pytest.mark.parametrize(
    ("settings", "before", "words"),
    [
        (
            Train(workers=4, micro=2),
            None,
            "4 workers, but each batch is 2 micro-batches, expected at least one .* a worker",
        ),
        (Train(workers=5), SPLIT, "5 workers, but each batch is 4 micro-batches in the run that is resumed"),
        (Train(workers=2), PLAIN, "2 workers, but each batch is one piece in the run that is resumed"),
    ],
)
def test_t21_fewer_micro_batches_than_workers(settings, before, words):
    with pytest.raises(UsageError, match=words) as found:
        ranks.ranks_of(settings, before)
    assert found.value.fault == "T21"
    assert f"--micro {settings.workers}" in found.value.hint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Train(workers=2, engine="caffe"), "--workers 2 is for the torch engine"),
        (Train(micro=2, engine="caffe"), "--micro 2 is for the torch engine"),
        (Train(workers=2, device="cuda"), "--workers 2 is for the CPU"),
        (Train(workers=2, batch="each", micro=4), "--micro 4: with --batch each every worker computes a whole batch"),
    ],
)
def test_t22_settings_that_need_one_process(settings, words):
    with pytest.raises(UsageError, match=words) as found:
        ranks.check(settings)
    assert found.value.fault == "T22"


def test_threads_are_those_that_the_bytes_depend_on():
    dealt = Ranks(workers=2, micro=4)
    assert ranks.threads(Train(), None, None) is None
    assert ranks.threads(Train(threads=5), dealt, SPLIT) == 5
    assert ranks.threads(Train(), dealt, SPLIT) == 3
    assert ranks.threads(Train(), dealt, PLAIN) == ranks.threads(Train(), dealt, None) == 1


def test_what_is_recorded_and_what_differs():
    dealt = Ranks(workers=4, micro=4)
    assert ranks.facts(dealt, None) == {"workers": 4, "batch": "split", "micro": 4}
    assert ranks.facts(None, None) == ranks.facts(None, PLAIN) == {}
    assert ranks.facts(None, SPLIT) == {"workers": 1, "batch": "split", "micro": 1}
    assert ranks.differences(dealt, SPLIT) == []
    assert ranks.differences(None, SPLIT) == ["1 micro-batches (was 4)"]
    assert ranks.differences(Ranks(workers=3, rule="each", micro=3), EACH) == [
        "3 workers with a batch each (was 2 workers with a batch each)"
    ]
