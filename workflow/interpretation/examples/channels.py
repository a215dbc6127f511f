"""`wf channels`: the training patches that activate each channel most, and an input that maximises it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.errors import UsageError
from workflow.exams.exam import Records
from workflow.exams.nearest import training_set
from workflow.exams.picture import Picture
from workflow.formats.datum import decode_all
from workflow.formats.lmdb import Reader
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.ascent import Recipe
from workflow.interpretation.synthesis.dream import Maximum, maximise
from workflow.models.model import Model
from workflow.net.receptive import Box

PATCHES = 9
UNIT = Recipe(seeds=1, jitter=0)
"""One unit sees its own place only: jitter would smear what it likes, and seeds hardly differ."""
_BATCH = 200

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """The part of one training picture that a unit of a channel sees."""

    path: str
    label: str | None
    record: int
    """Its place in the training set's database."""
    activation: float
    """The channel's greatest value for that picture."""
    place: tuple[int, int]
    """(row, column) of the unit that has it."""
    box: Box
    """Its receptive field, in the pixels of the record."""
    pixels: NDArray[np.uint8]
    """(C, h, w): the pixels of the patch."""

    def json(self) -> dict[str, Any]:
        """As `wf channels --json` gives it."""
        return {
            "path": self.path,
            "label": self.label,
            "activation": self.activation,
            "place": list(self.place),
            "box": asdict(self.box),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """What one channel responds to."""

    number: int
    patches: tuple[Patch, ...]
    """The most exciting first, each of another picture; none of a dead channel."""
    maximum: Maximum | None
    """What most excites its unit in the middle of the map, made from noise; None of a dead channel.

    A unit, as in the patches: over the whole map the lines that an edge detector likes cancel out.
    """

    @property
    def dead(self) -> bool:
        """Whether no training picture changes it."""
        return not self.patches

    @property
    def likes(self) -> tuple[str, int] | None:
        """The most frequent class of the patches, and how many patches are of it."""
        labels = [one.label for one in self.patches if one.label is not None]
        return max(((label, labels.count(label)) for label in labels), key=lambda pair: pair[1], default=None)

    def json(self) -> dict[str, Any]:
        """As `wf channels --json` gives it."""
        found = {"channel": self.number, "dead": self.dead, "patches": [one.json() for one in self.patches]}
        if self.maximum is not None:
            found["dream"] = {
                "activation": self.maximum.dream.activation,
                "natural_percentile": self.maximum.natural_percentile,
            }
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Channels:
    """The channels of one blob."""

    snapshot: str
    blob: str
    count: int
    """Number of training pictures."""
    middle: Box
    """The receptive field of the unit in the middle, in the pixels of the record: the only part of a maximising
    picture that matters, and as large as a patch that no edge of the picture cuts."""
    channels: tuple[Looked, ...]

    def json(self) -> dict[str, Any]:
        """As `wf channels --json` gives it."""
        return {
            "snapshot": self.snapshot,
            "blob": self.blob,
            "training_pictures": self.count,
            "channels": [one.json() for one in self.channels],
        }


def look_for(
    model: Model,
    blob: str,
    *,
    channels: Sequence[int] = (),
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> Channels:
    """Run a snapshot on all its training pictures, and keep the patches that excite each channel most.

    Memory is needed for one batch, and for nine patches of each channel.

    Args:
        model: a snapshot of a generation.
        blob: its name; the blob must have more than one position.
        channels: only these; all of them if empty.
        recipe: of the maximising pictures; None is `UNIT`.
        progress: called with (done, all) over the training pictures, then over the steps of the maximisation.

    Raises:
        UsageError: no such blob or channel, the blob has no map, or the model belongs to no generation.
        NetError: a layer on the way cannot be differentiated; it is named.
    """
    exam = training_set(model)
    net = Differentiable(model)
    numbers = _asked(net, blob, channels)
    best = _Best(net, blob, numbers)
    for pictures, pixels in exam.batches(model, _BATCH):
        best.see(pictures, net.blob(pixels))
        if progress is not None:
            progress(best.seen, exam.count)
    alive = [number for number, spread in zip(numbers, best.spread.tolist(), strict=True) if spread > 0]
    maxima: dict[int, Maximum] = {}
    if alive:
        row, column = (side // 2 for side in net.shapes[blob][2:])
        units = [f"{blob}:{number},{row},{column}" for number in alive]
        made = maximise(model, units=units, recipe=recipe or UNIT, progress=progress)
        maxima = dict(zip(alive, made, strict=True))
    patches = best.patches(exam)
    return Channels(
        snapshot=model.name,
        blob=blob,
        count=best.seen,
        middle=_in_record(net.fields.of(blob, *(side // 2 for side in net.shapes[blob][2:])), model),
        channels=tuple(
            Looked(
                number=number,
                patches=tuple(patches[number]) if number in maxima else (),
                maximum=maxima.get(number),
            )
            for number in numbers
        ),
    )


def _asked(net: Differentiable, blob: str, channels: Sequence[int]) -> list[int]:
    if not net.is_map(blob) or blob == net.model.input:
        maps = [name for name in net.names if net.is_map(name) and name != net.model.input]
        raise UsageError(f"blob '{blob}' has no map of places", hint=f"one of {', '.join(maps)}" if maps else None)
    count = net.shapes[blob][1]
    for number in channels:
        if not 0 <= number < count:
            raise UsageError(f"blob '{blob}' has no channel {number}", hint=f"it has channels 0 to {count - 1}")
    return list(dict.fromkeys(channels)) or list(range(count))


class _Best:
    """The pictures that excite each channel most, updated batch by batch."""

    def __init__(self, net: Differentiable, blob: str, numbers: Sequence[int]) -> None:
        self.net = net
        self.blob = blob
        self.numbers = list(numbers)
        self.seen = 0
        self._values = torch.zeros((len(numbers), 0))
        self._places = torch.zeros((len(numbers), 0), dtype=torch.int64)
        self._records = torch.zeros((len(numbers), 0), dtype=torch.int64)
        self._least = torch.full((len(numbers),), torch.inf)
        self._known: dict[int, Picture] = {}

    def see(self, pictures: Sequence[Picture], x: Tensor) -> None:
        """Update with a batch."""
        with torch.no_grad():
            maps = self.net.run(x, until=(self.blob,)).blobs[self.blob][:, self.numbers].flatten(2)  # (N, K, places)
        greatest, where = maps.max(2)
        self._least = torch.minimum(self._least, maps.amin((0, 2)))
        records = torch.arange(self.seen, self.seen + len(pictures)).expand(len(self.numbers), -1)
        values = torch.cat([self._values, greatest.T], 1)
        self._values, chosen = values.topk(min(PATCHES, values.shape[1]), 1)
        self._places = torch.cat([self._places, where.T], 1).gather(1, chosen)
        self._records = torch.cat([self._records, records], 1).gather(1, chosen)
        kept = set(self._records.flatten().tolist())
        self._known |= {self.seen + row: one for row, one in enumerate(pictures) if self.seen + row in kept}
        self._known = {record: one for record, one in self._known.items() if record in kept}
        self.seen += len(pictures)

    @property
    def spread(self) -> Tensor:
        """Maximum minus minimum of each channel, float32 (K,)."""
        return self._values[:, 0] - self._least

    def patches(self, exam: Records) -> dict[int, list[Patch]]:
        """Cut them out: channel -> patches, the most exciting first."""
        found: dict[int, list[Patch]] = {}
        with Reader(exam.generation.database(exam.split)) as reader:
            for row, number in enumerate(self.numbers):
                found[number] = []
                answers = zip(self._records[row], self._places[row], self._values[row], strict=True)
                for record, place, value in answers:
                    found[number].append(self._patch(reader, int(record), int(place), float(value)))
        return found

    def _patch(self, reader: Reader, record: int, place: int, value: float) -> Patch:
        at = divmod(place, self.net.shapes[self.blob][3])
        pixels = np.asarray(decode_all(reader.values(record, 1))[0][0], np.uint8)
        box = _in_record(self.net.fields.of(self.blob, *at), self.net.model)
        return Patch(
            path=self._known[record].path,
            label=self._known[record].truth,
            record=record,
            activation=value,
            place=at,
            box=box,
            pixels=pixels[:, *box.slices],
        )


def _in_record(box: Box | None, model: Model) -> Box:
    """From the net's input to the record, of which crop_size may leave the middle only; empty for None."""
    if box is None:
        return Box(0, 0, 0, 0)
    crop = model.transform.crop
    down, right = ((side - crop) // 2 if crop else 0 for side in model.preprocessing.shape[1:])
    return Box(box.top + down, box.left + right, box.bottom + down, box.right + right)
