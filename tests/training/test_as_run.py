"""The prototxt of a generation as run, where settings change more than names and numbers of pictures."""

from __future__ import annotations

from overriding import over

from workflow.config import Config
from workflow.engines.base import Done
from workflow.formats.prototxt import read_solver
from workflow.generations import Generation
from workflow.training import train


def iterations(events) -> int:
    return next(event.iteration for event in events if isinstance(event, Done))


def test_passes_shorten_the_schedule_of_a_small_set(generation: Generation, settings: Config):
    pictures = sum(generation.read().counts["train"].values())
    original = read_solver(settings.train.solver)
    assert iterations(train(over(settings, train__passes=1))) == -(-pictures // 8)  # in batches of 8
    run = read_solver(generation.prototxt("solver"))
    assert run.max_iter == -(-pictures // 8) < original.max_iter
    assert run.test_interval == max(1, round(original.test_interval * run.max_iter / original.max_iter))


def test_passes_never_lengthen_it(generation: Generation, settings: Config):
    train_one = over(settings, train__passes=1000)
    assert iterations(train(train_one)) == read_solver(settings.train.solver).max_iter


def test_max_iter_is_obeyed_before_passes(generation: Generation, settings: Config):
    assert iterations(train(over(settings, train__passes=1), max_iter=7)) == 7
    assert read_solver(generation.prototxt("solver")).test_interval == read_solver(settings.train.solver).test_interval
