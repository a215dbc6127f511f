"""What a snapshot's confidence is worth, fitted once and recorded: the temperature of its calibrated confidence.

The best snapshot gets it when a training ends, since commands ask that one unless they are told otherwise. Any other
gets it when `wf evaluate` is asked about it. A generation without validation pictures has none to fit it on.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace

from msgspec import structs

from workflow.errors import BusyError
from workflow.exams import temperature
from workflow.exams.answers import Progress
from workflow.models.model import Model


def fit(model: Model, *, held: bool = False, progress: Progress | None = None) -> Model:
    """The model with what it lacks, which is recorded; while another process holds the generation it is not.

    Args:
        model: a snapshot; one from elsewhere is given back as it is.
        held: whether the caller holds the generation.
        progress: told (done, all) while the validation pictures are shown to it.

    Raises:
        NetError, DataError: the validation pictures cannot be shown to it.
    """
    if model.temperature is None and (found := temperature.fitted(model, progress)) is not None:
        model = replace(model, temperature=found)
        _record(model, found, held=held)
    return model


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
