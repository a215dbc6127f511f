"""Which snapshot answers, while generations are prepared, trained, stopped and pinned."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from small_net import make_generation

from workflow.config import Config
from workflow.errors import DataError, UsageError
from workflow.generations import Generation, SnapshotRecord, resolve
from workflow.generations.live import answering, live, pin, unpin
from workflow.generations.record import Training

ROOT = Path("generations")


def snapshots(one: Generation, tests: dict[int, float], **training: object) -> Generation:
    """The generation with snapshots of these test accuracies, by iteration."""
    found = tuple(
        SnapshotRecord(
            iteration=k, model=f"snapshots/n_iter_{k}.caffemodel", state="s", sha256={}, test_accuracy=accuracy
        )
        for k, accuracy in tests.items()
    )
    one.write(structs.replace(one.read(), snapshots=found, training=Training.of(training)))
    return one


@pytest.fixture
def first(project: Path) -> Generation:
    return snapshots(make_generation(project, 1), {1000: 0.9, 2000: 0.8}, ended_at=2000)


def test_the_best_snapshot_answers(first):
    found = live(Config())
    assert found.reference.name == "gen1/iter_1000"
    assert found.reference.weights == first.folder / "snapshots/n_iter_1000.caffemodel"
    assert found.words == "gen1/iter_1000 is the default snapshot (the newest with finished training)"


def test_a_generation_in_the_making_does_not_answer(first, project):
    second = make_generation(project, 2)
    assert live(Config()).reference.name == "gen1/iter_1000"
    assert live(Config()).words.endswith("; newer: gen2, training not finished")
    snapshots(second, {1000: 0.95}, ended_at=0)
    assert live(Config()).reference.name == "gen1/iter_1000"
    snapshots(second, {1000: 0.95, 2000: 0.96}, ended_at=2000)
    assert live(Config()).reference.name == "gen2/iter_2000"
    assert live(Config()).newer == ()
    snapshots(second, {1000: 0.95, 2000: 0.96, 3000: 0.99}, ended_at=2000)  # it is trained further
    assert live(Config()).reference.name == "gen2/iter_2000"


def test_records_of_before_know_only_where_they_were(first):
    snapshots(first, {1000: 0.9, 2000: 0.8}, iterations=2000)
    assert live(Config()).reference.name == "gen1/iter_1000"
    snapshots(first, {1000: 0.9, 2000: 0.8})
    assert live(Config()).reference.name == "gen1/iter_1000"


def test_where_no_training_has_ended_the_newest_that_has_snapshots_answers(first, project):
    snapshots(first, {1000: 0.9}, ended_at=0)
    make_generation(project, 2)
    assert live(Config()).reference.name == "gen1/iter_1000"
    assert "training is not finished" in live(Config()).words


def test_without_any_snapshot_the_newest_is_to_be_trained(project):
    make_generation(project, 1)
    make_generation(project, 2)
    with pytest.raises(UsageError, match="generation 2 has no snapshot yet") as caught:
        live(Config())
    assert caught.value.hint == "wf train --gen 2"


def test_a_pinned_snapshot_answers_until_it_is_unpinned(first, project):
    snapshots(make_generation(project, 2), {1000: 0.95}, ended_at=1000)
    pin(Config(), resolve(Config(), "gen1/iter_2000"))
    assert live(Config()).words == "gen1/iter_2000 is the default snapshot (pinned); newer: gen2"
    assert live(Config()).candidate.name == "gen2/iter_1000"
    assert answering(Config(), None).number == 1
    assert answering(Config(), 2).number == 2
    unpin(Config())
    unpin(Config())
    assert live(Config()).reference.name == "gen2/iter_1000"


def test_what_is_pinned_and_gone(first, project):
    pin(Config(), resolve(Config(), "gen1/iter_2000"))
    snapshots(first, {1000: 0.9})
    with pytest.raises(UsageError, match="the pinned snapshot gen1/iter_2000 is gone") as caught:
        live(Config())
    assert "wf live --follow" in caught.value.hint
    (ROOT / "live.json").write_text("{")
    with pytest.raises(DataError, match="does not say which snapshot is pinned"):
        live(Config())


def test_a_model_from_elsewhere_cannot_be_live(first, project):
    Path("other.caffemodel").write_bytes(b"x")
    with pytest.raises(UsageError, match="belongs to no generation"):
        pin(Config(), resolve(Config(), "other.caffemodel"))


def test_a_damaged_record_does_not_keep_the_others_from_answering(first, project, caplog):
    make_generation(project, 2).record_path.write_text("{")
    assert live(Config()).reference.name == "gen1/iter_1000"
    assert "gen2 is skipped" in caplog.text
