"""Answers are kept, found again, and not believed when anything has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from one_generation import make_one
from PIL import Image
from three_generations import add_snapshot, settings, weights

from workflow.errors import UsageError
from workflow.exams import cache, exam
from workflow.exams.answers import Answers
from workflow.generations import Generation
from workflow.models.loading import load
from workflow.models.model import Model


@pytest.fixture
def one(project: Path) -> Generation:
    return make_one(project)


class Counting:
    """Whether pictures were shown to the net."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, done: int, total: int) -> None:
        self.shown += 1


def ask(model: Model, found: exam.Exam, **options: bool) -> tuple[Answers, bool]:
    counting = Counting()
    return cache.answers(model, found, progress=counting, **options), counting.shown > 0


def same(first: Answers, second: Answers) -> bool:
    return (
        list(first.pictures) == list(second.pictures)
        and np.array_equal(first.probabilities, second.probabilities)
        and (first.snapshot, first.exam, first.classes) == (second.snapshot, second.exam, second.classes)
        and first.skipped == second.skipped
    )


def test_the_second_time_nothing_is_computed(one: Generation) -> None:
    model = load(settings())
    first, shown = ask(model, exam.of_generation(one, model))
    again, shown_again = ask(load(settings()), exam.of_generation(one, model))
    assert (shown, shown_again) == (True, False)
    assert same(first, again)
    assert (cache.folder(model, exam.of_generation(one, model)) / "answers.npz").is_file()
    assert ask(model, exam.of_generation(one, model), fresh=True)[1]


def test_skipped_files_are_remembered(one: Generation) -> None:
    Path("images/test/cross/x.png").write_text("no picture")
    model = load(settings())
    first, _ = ask(model, exam.of_labelled(Path("images/test")))
    pose = exam.of_labelled(Path("images/test"))
    again, shown = ask(model, pose)
    assert not shown
    assert same(first, again)
    assert [one.path.name for one in pose.skipped] == ["x.png"]


def other_weights(model: Model, one: Generation) -> Model:
    return replace(model, weights=weights(3, 99))


def other_mean(model: Model, one: Generation) -> Model:
    return replace(model, transform=replace(model.transform, mean=model.transform.mean + 1))


def other_scale(model: Model, one: Generation) -> Model:
    return replace(model, transform=replace(model.transform, scale=0.5))


def other_classes(model: Model, one: Generation) -> Model:
    return replace(model, classes=("a", "b", "c"))


def other_dataset(model: Model, one: Generation) -> Model:
    one.write(structs.replace(one.read(), hashes={"images.jsonl": "0"}))
    return model


def other_preprocessing(model: Model, one: Generation) -> Model:
    return replace(model, preprocessing=structs.replace(model.preprocessing, channel_order="BGR"))


@pytest.mark.parametrize(
    "change", [other_weights, other_mean, other_scale, other_classes, other_dataset, other_preprocessing]
)
def test_answers_of_something_else_are_not_taken(one: Generation, change: Callable[[Model, Generation], Model]) -> None:
    model = load(settings())
    ask(model, exam.of_generation(one, model))
    changed = change(model, one)
    assert ask(changed, exam.of_generation(one, changed))[1]
    assert not ask(changed, exam.of_generation(one, changed))[1]


def test_a_changed_file_is_shown_anew(one: Generation) -> None:
    model, path = load(settings()), Path("images/test/circle/0.png")
    ask(model, exam.of_labelled(Path("images/test")))
    assert not ask(model, exam.of_labelled(Path("images/test")))[1]
    os.utime(path, ns=(1, 1))
    assert ask(model, exam.of_labelled(Path("images/test")))[1]
    Image.new("RGB", (8, 9)).save(path)
    assert ask(model, exam.of_labelled(Path("images/test")))[1]
    path.rename("images/test/cross/moved.png")
    assert ask(model, exam.of_labelled(Path("images/test")))[1]


def test_exams_and_snapshots_lie_apart(one: Generation, project: Path) -> None:
    add_snapshot(one, 30)
    latest, older = load(settings()), load(settings(), snapshot="iter_20")
    (project / "a b").mkdir()
    (project / "a-b").mkdir()
    poses = [exam.of_generation(one, latest), exam.of_generation(one, latest, "train")]
    poses += [exam.Files(name=name, files=[]) for name in ("a b", "a-b", "é" * 80)]
    folders = {cache.folder(model, pose) for model in (latest, older) for pose in poses}
    assert len(folders) == 10
    assert one.folder / "evaluation" / "iter_30" / "gen1-test" in folders


@pytest.mark.parametrize("damage", ["empty", "text", "half", "byte"])
def test_a_damaged_file_is_as_good_as_none(one: Generation, damage: str) -> None:
    model = load(settings())
    first, _ = ask(model, exam.of_generation(one, model))
    path = cache.folder(model, exam.of_generation(one, model)) / "answers.npz"
    data = path.read_bytes()
    middle = data.index(b"probabilities") + 200
    path.write_bytes(
        {
            "empty": b"",
            "text": b"no npz",
            "half": data[: len(data) // 2],
            "byte": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        }[damage]
    )
    again, shown = ask(model, exam.of_generation(one, model))
    assert shown
    assert same(first, again)
    assert not ask(model, exam.of_generation(one, model))[1]


def test_an_array_that_does_not_fit_is_not_believed(one: Generation) -> None:
    model = load(settings())
    ask(model, exam.of_generation(one, model))
    path = cache.folder(model, exam.of_generation(one, model)) / "answers.npz"
    with np.load(path) as packed:
        arrays = dict(packed)
    np.savez(path, **(arrays | {"probabilities": arrays["probabilities"][1:]}))
    assert ask(model, exam.of_generation(one, model))[1]


def test_of_a_model_from_elsewhere_nothing_is_kept(one: Generation) -> None:
    model = replace(load(settings()), generation=None, iteration=None, name="other.caffemodel")
    pose = exam.of_labelled(Path("images/test"))
    assert ask(model, pose)[1]
    assert ask(model, pose)[1]
    with pytest.raises(UsageError, match="belongs to no generation") as caught:
        cache.folder(model, pose)
    assert caught.value.hint == "use --out DIR"
    assert not (one.folder / "evaluation").exists()
