"""A snapshot whose net stays open, for pictures that arrive one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.config import Preprocessing

if TYPE_CHECKING:
    from workflow.exams.novelty import Novelty
    from workflow.models.model import Model


class Judgement(NamedTuple):
    """The net's answer for a picture."""

    label: str
    probability: float
    """Probability of the label, 0..1."""
    probabilities: dict[str, float]
    """Class -> 0..1, in the order of the classes."""
    distance: float | None = None
    """To the classes' training pictures, in units of the limit; None for a snapshot without a rule."""

    @property
    def unknown(self) -> bool:
        """Whether `wf predict` calls it `unknown`: it is beyond the limit."""
        return self.distance is not None and self.distance > 1


class Judging:
    """Made by `Snapshot.judging`. One thread at a time may use it.

    Raises:
        NetError, ModelError, EngineMissing: the net cannot be opened.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._session = model.open()
        self._rule: tuple[int, Novelty | None] = 0, None

    @property
    def name(self) -> str:
        """`gen5/iter_6000`, or the path of a model from elsewhere."""
        return self._model.name

    @property
    def classes(self) -> tuple[str, ...] | None:
        """In the order of the net's outputs; None where they are not known."""
        return self._model.classes

    @property
    def preprocessing(self) -> Preprocessing:
        """How a picture file becomes the pixels that `label` takes."""
        return self._model.preprocessing

    def label(self, pixels: Sequence[NDArray[np.uint8]]) -> list[Judgement]:
        """The answers for some pictures, in their order.

        Args:
            pixels: uint8 (C, H, W) each, as `data.pictures.interpret` gives them with this preprocessing.

        Raises:
            NetError, ModelError: the net gives no classes, or no numbers.
        """
        from workflow.exams.predict import probabilities

        found = probabilities(self._model, self._session, pixels, self._novelty())
        return [Judgement(label, shares[label], shares, distance) for label, shares, distance in found]

    def _novelty(self) -> Novelty | None:
        """The rule for unknown pictures; read again when its file changes: it may be fitted while this is open."""
        from workflow.exams import novelty

        try:
            changed = 0 if self._model.file is None else novelty.path_of(self._model.file).stat().st_mtime_ns
        except OSError:
            changed = 0
        if changed != self._rule[0]:
            self._rule = changed, novelty.read(self._model)
        return self._rule[1]

    def close(self) -> None:
        """Close the net."""
        self._session.__exit__(None, None, None)
