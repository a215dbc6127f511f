"""Where pictures about a whole snapshot lie."""

from __future__ import annotations

from pathlib import Path

from workflow.models.model import Model


def folder(model: Model, name: str) -> Path:
    """generations/genN/vision/iter_K/NAME, or vision/MODEL/NAME in the project folder for a model from elsewhere."""
    if model.generation is None:
        return model.project / "vision" / Path(model.name).stem / name
    return model.generation.folder / "vision" / f"iter_{model.iteration}" / name
