"""The end of a training that has validation pictures: the best snapshot is shown the test pictures, once.

They have not been used before, so the accuracy is not flattered by the choice of the snapshot. What its confidence is
worth is fitted on the validation pictures, see `confidence`.
"""

from __future__ import annotations

import logging

from msgspec import structs

from workflow.config import Config
from workflow.errors import WorkflowError
from workflow.exams import cache
from workflow.exams.exam import of_generation
from workflow.exams.novelty import path_of
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
    if None not in (best.test_accuracy, best.temperature) and path_of(generation.folder / best.model).is_file():
        return
    try:
        model = of_snapshot(config, generation, best)
        if best.test_accuracy is None:
            found = cache.answers(model, of_generation(generation, model))
            tested = structs.replace(best, test_accuracy=plain(float(found.correct.mean())))
            snapshots = tuple(tested if one.iteration == best.iteration else one for one in record.snapshots)
            generation.write(structs.replace(record, snapshots=snapshots))
        confidence.fit(model, held=True)
    except WorkflowError as error:
        _log.warning("iter_%d cannot be shown the test pictures: %s", best.iteration, error.message)
