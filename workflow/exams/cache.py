"""Cache a snapshot's answers on disk, so an exam is run only once.

    generations/gen5/evaluation/iter_6000/gen5-test/answers.npz      beside what commands write about that exam

They are found again while the weights, the preprocessing and the exam are the same; otherwise the pictures are
shown to the net again.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.errors import UsageError
from workflow.exams import activity
from workflow.exams.activity import Activity
from workflow.exams.answers import Answers, Progress, observe
from workflow.exams.exam import Exam, own_split
from workflow.exams.fingerprint import fingerprint
from workflow.exams.novelty import Novelty
from workflow.exams.packed_pictures import Pictures
from workflow.exams.picture import Skipped
from workflow.generations import Generation
from workflow.models.model import Model
from workflow.paths import path_or_address
from workflow.storage import replacing

_FORMAT = "wf.answers/2"


def folder(model: Model, exam: Exam) -> Path:
    """The folder of all results of this snapshot on this exam; it is not created here.

    Raises:
        UsageError: the model is from elsewhere and belongs to no generation.
    """
    if model.generation is None or model.iteration is None:
        raise UsageError(f"{model.name} belongs to no generation, so nothing is cached", hint="use --out DIR")
    place = model.generation.project / exam.name
    elsewhere = None if own_split(model, exam) else place
    return model.place.exam(model.generation.recorded(place), elsewhere=elsewhere)


def answers(
    model: Model,
    exam: Exam,
    *,
    rule: Novelty | None = None,
    fresh: bool = False,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Answers:
    """The snapshot's answers on the exam: from the cache, else computed and cached.

    Args:
        model: the snapshot; of one from elsewhere nothing is kept.
        exam: the pictures.
        rule: of the snapshot; answers that are stored without distances are then computed again.
        fresh: ignore cached answers.
        engine: the engine's name, used only where no answers are stored yet.
        progress: called with (done, all).

    Raises:
        NetError, DataError: as `observe`.
    """
    if model.generation is None or model.iteration is None:
        return observe(model, exam, rule=rule, engine=engine, progress=progress)
    path, key = folder(model, exam) / "answers.npz", fingerprint(model, exam)
    known = None if fresh else _read(path, key, model, exam, model.generation)
    if known is not None and (rule is None or known.distance is not None):
        exam.skipped[:] = known.skipped
        return known
    seen = Activity() if own_split(model, exam) == "test" else None
    found = observe(model, exam, rule=rule, engine=engine, progress=progress, activity=seen)
    _write(path, found, key, model.generation)
    if seen is not None:
        activity.write(path.with_name(activity.FILE), seen, key)
    return found


def _write(path: Path, found: Answers, key: str, generation: Generation) -> None:
    facts = {
        "format": _FORMAT,
        "key": key,
        "classes": found.classes,
        "skipped": [[generation.recorded(one.path), one.reason] for one in found.skipped],
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "facts": np.frombuffer(json.dumps(facts).encode(), np.uint8),
        "probabilities": found.probabilities,
        **Pictures(one._replace(path=generation.recorded(one.path)) for one in found.pictures).arrays(),
    }
    if found.distance is not None:
        arrays["distance"] = found.distance
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read(path: Path, key: str, model: Model, exam: Exam, generation: Generation) -> Answers | None:
    """The saved answers, None if there are none for this key; a damaged file counts as none."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as packed:
            facts = json.loads(packed["facts"].tobytes())
            if facts["format"] != _FORMAT or facts["key"] != key:
                return None
            probabilities = packed["probabilities"]
            distance = packed.get("distance")
            kept = Pictures.of_arrays(packed)
            classes = tuple(facts["classes"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
        return None
    pictures = Pictures(one._replace(path=generation.located(one.path)) for one in kept)
    if probabilities.shape != (len(pictures), len(classes)) or not _each(distance, len(pictures)):
        return None
    return Answers(
        snapshot=model.name,
        exam=exam.name,
        classes=classes,
        pictures=pictures,
        probabilities=probabilities,
        distance=distance,
        skipped=tuple(
            Skipped(path=path_or_address(generation.located(name)), reason=reason) for name, reason in facts["skipped"]
        ),
        project=model.project,
    )


def _each(distance: Array | None, count: int) -> bool:
    return distance is None or distance.shape == (count,)
