"""The end of a training that has validation pictures: the best snapshot is shown the test pictures, once.

They have not been used before, so the accuracy is not flattered by the choice of the snapshot. What its confidence is
worth is fitted on the validation pictures, see `confidence`.
"""

from __future__ import annotations

import logging

from msgspec import structs

from workflow.config import Config
from workflow.errors import WorkflowError
from workflow.exams import cache, novelty
from workflow.exams.exam import of_generation
from workflow.generations import Generation
from workflow.models.loading import of_snapshot
from workflow.training import confidence
from workflow.training.outputs import plain

_log = logging.getLogger("workflow")


def final_test(config: Config, generation: Generation) -> None:
    """Record the best snapshot's test accuracy and its temperature, unless they are known; its answers are kept.

    Nothing is done where the solver's test passes look at the test pictures themselves, and while a run is not at its
    end. If the net cannot be evaluated, that is a warning: the training is kept.

    Args:
        config: the settings.
        generation: that was trained; the caller holds it.
    """
    record = generation.read()
    best = record.best
    if record.solver_split == "test" or best is None or record.training.ended_at != record.training.iterations:
        return
    if None not in (best.test_accuracy, best.temperature) and novelty.path_of(generation.folder / best.model).is_file():
        return
    try:
        model = confidence.fit(of_snapshot(config, generation, best), held=True)
        if best.test_accuracy is None:
            found = cache.answers(model, of_generation(generation, model), rule=novelty.read(model))
            accuracy = plain(float(found.correct.mean()))
            record = generation.read()  # with the temperature
            snapshots = tuple(
                structs.replace(one, test_accuracy=accuracy) if one.iteration == best.iteration else one
                for one in record.snapshots
            )
            generation.write(structs.replace(record, snapshots=snapshots))
    except WorkflowError as error:
        _log.warning("iter_%d cannot be shown the test pictures: %s", best.iteration, error.message)
