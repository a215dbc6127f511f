"""`wf verify`: check that training, testing and inspecting feed the net the same input."""

from __future__ import annotations

from collections.abc import Sequence

from workflow.checks import agreement, records
from workflow.checks.verification import Verification
from workflow.config import Config
from workflow.errors import UsageError
from workflow.generations import Generation, existing
from workflow.models.loading import load
from workflow.models.model import Model

SAMPLE = 200
"""Records of each split that are compared with their pictures, unless another number is asked for."""


def verify(
    config: Config,
    *,
    snapshot: str | None = None,
    number: int | None = None,
    engine: str | None = None,
    others: Sequence[str] | None = None,
    sample: int = SAMPLE,
) -> Verification:
    """Compare a generation's data set with its record and its pictures, and the net's blobs for both.

    Files are compared with their recorded hashes, and records with their pictures, decoded again. Then a sample of
    the test set goes through the solver's test net, from the LMDB, and through inspect's path, from the files: all
    blobs must be equal. The other engines that can run here are given the same pictures.

    Args:
        config: says where the generations are.
        snapshot: see `loading.load`; None is the latest, or none at all where the generation has none yet.
        number: the generation; None is the newest.
        engine: runs the nets; None takes the fastest.
        others: engines to compare with it; None is all that can run here.
        sample: how many records of each split are compared with their pictures.

    Raises:
        UsageError: no such generation or snapshot, or a model from elsewhere, which has no data set.
        DatabaseError: L01, L02, L03, L05, L06 a database.
        DataError, ModelError, NetError: a file of the generation is missing or damaged.
    """
    model = _model(config, snapshot, number)
    generation = existing(config, number) if model is None else model.generation
    if generation is None:
        raise UsageError("a model from elsewhere has no data set to verify", hint="give a snapshot of a generation")
    result = Verification(generation=generation.name, snapshot=model.name if model else None)
    records.check_files(generation, result)
    for split in generation.read().counts:
        records.check_records(generation, split, sample, config.prepare.max_pixels, result)
    if model is not None:
        agreement.check_blobs(model, generation, sample, engine=engine, others=others, result=result)
    return result


def _model(config: Config, snapshot: str | None, number: int | None) -> Model | None:
    if snapshot is None and not _has_snapshots(existing(config, number)):
        return None
    return load(config, snapshot=snapshot, number=number)


def _has_snapshots(generation: Generation) -> bool:
    return bool(generation.read().snapshots)
