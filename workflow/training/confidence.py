"""What a snapshot's answers are worth: its temperature, and the limit beyond which a picture is `unknown`.

Both are fitted once and kept. The best snapshot gets them when a training ends, since commands ask that one unless they
are told otherwise; any other when `wf evaluate` is asked about it. A generation without validation pictures has none to
fit them on.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace

import numpy as np
from msgspec import structs

from workflow.errors import BusyError
from workflow.exams import cache, novelty
from workflow.exams.answers import Progress
from workflow.exams.exam import of_generation
from workflow.exams.temperature import logarithms, temperature
from workflow.models.model import Model
from workflow.training.novelty import fitted as fitted_rule


def fit(model: Model, *, held: bool = False, progress: Progress | None = None) -> Model:
    """The model with what it lacks: a rule for unknown pictures beside its weights, and a temperature, recorded.

    While another process holds the generation the temperature is not recorded.

    Args:
        model: a snapshot; one from elsewhere is given back as it is.
        held: whether the caller holds the generation.
        progress: told (done, all) while the validation pictures are shown to it.

    Raises:
        NetError, DataError: the pictures cannot be shown to it.
        OSError: the rule cannot be written.
    """
    if model.file is not None and novelty.read(model) is None and (rule := fitted_rule(model)) is not None:
        novelty.write(novelty.path_of(model.file), model, rule)
    if model.temperature is None and (found := fitted_temperature(model, progress)) is not None:
        model = replace(model, temperature=found)
        _record(model, found, held=held)
    return model


def fitted_temperature(model: Model, progress: Progress | None = None) -> float | None:
    """The temperature of a snapshot, by the validation pictures of its generation; its answers to them are kept.

    Args:
        model: a snapshot of a generation.
        progress: told (done, all) while it has not answered them yet.

    Returns:
        None where the generation has no validation pictures, or the snapshot's answers are no numbers.

    Raises:
        NetError, DataError: as `cache.answers`.
    """
    generation = model.generation
    if generation is None or "validation" not in generation.read().counts:
        return None
    found = cache.answers(model, of_generation(generation.original, model, "validation"), progress=progress)
    if not np.isfinite(found.probabilities).all():
        return None
    return temperature(logarithms(found.probabilities), found.truth)


def _record(model: Model, found: float, *, held: bool) -> None:
    generation = model.generation
    if generation is None or model.iteration is None:
        return
    with suppress(BusyError), nullcontext() if held else generation.held("wf evaluate"):
        record = generation.read()
        snapshots = tuple(
            structs.replace(one, temperature=found) if one.iteration == model.iteration else one
            for one in record.snapshots
        )
        generation.write(structs.replace(record, snapshots=snapshots))
