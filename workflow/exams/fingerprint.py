"""What the answers of a snapshot about an exam depend on, as a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import msgspec
import numpy as np

from workflow.exams.exam import Exam
from workflow.exams.novelty import Novelty
from workflow.models.model import Model


def fingerprint(model: Model, exam: Exam) -> str:
    """Hash of everything that the answers depend on."""
    facts = hashlib.sha256(model.weights.SerializeToString(deterministic=True))
    facts.update(model.net.SerializeToString(deterministic=True))
    facts.update(msgspec.json.encode(model.preprocessing))
    transform = model.transform
    facts.update(repr((transform.scale, transform.crop, model.classes, model.output)).encode())
    if transform.mean is not None:
        facts.update(np.ascontiguousarray(transform.mean).tobytes())
    facts.update(exam.identity().encode())
    return facts.hexdigest()


def of_parts(
    model: Model,
    exam: Exam,
    blobs: Collection[str],
    rule: Novelty | None,
    engine: str,
    ignore: Sequence[str],
    size: int,
) -> str:
    """A hash of all that the results of the parts depend on; `size` files are in each."""
    facts = (fingerprint(model, exam), sorted(blobs), rule and rule.identity, engine, list(ignore), size)
    return hashlib.sha256(repr(facts).encode()).hexdigest()
