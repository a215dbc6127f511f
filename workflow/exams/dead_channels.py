"""The dead channels of a snapshot, where an evaluation has found them."""

from __future__ import annotations

from workflow.exams.activity import FILE, Silent, read
from workflow.models.model import Model


def silent_channels(model: Model) -> dict[str, Silent]:
    """Blob -> its channels that no picture of the own test set changes; empty where no evaluation has watched them."""
    if model.generation is None or model.iteration is None or not any(model.place.evaluation.glob(f"*/{FILE}")):
        return {}
    # databases and decoders, which inspecting one picture does not need if there is nothing to read
    from workflow.exams.cache import folder
    from workflow.exams.exam import of_generation
    from workflow.exams.fingerprint import fingerprint

    exam = of_generation(model.generation, model)
    return read(folder(model, exam) / FILE, fingerprint(model, exam))
