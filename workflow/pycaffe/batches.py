"""Run a net on arrays that are longer than its batch.

Source of the behaviour: python/caffe/pycaffe.py, forward_all, forward_backward_all and _batch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from workflow.layers.blob import Array, Blob
from workflow.pycaffe.refusals import Refused


class OneBatch(Protocol):
    """A net that runs one batch: `Net`."""

    blobs: OrderedDict[str, Blob]

    @property
    def inputs(self) -> list[str]:
        """Names of the input blobs."""
        ...

    @property
    def outputs(self) -> list[str]:
        """Names of the output blobs."""
        ...

    def forward(
        self,
        blobs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **inputs: ArrayLike,
    ) -> dict[str, Array]:
        """See `Net.forward`."""
        ...

    def backward(
        self,
        diffs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **tops: ArrayLike,
    ) -> dict[str, Array]:
        """See `Net.backward`."""
        ...


def forward_all(net: OneBatch, blobs: Sequence[str] | None, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Run all items, as many at a time as the net's first blob has.

    The last batch is filled up with zeros, whose outputs are cut off again.

    Args:
        net: the net.
        blobs: blobs to return besides the outputs.
        inputs: an array (N, ...) for every input of the net, all of one N, at least 1.

    Returns:
        Copies, (N, ...) each.

    Raises:
        Refused: no input, none of its items, or inputs of different lengths.
    """
    count = _length(inputs)
    kept: dict[str, list[Array]] = {}
    for batch in split(net, inputs):
        _gather(kept, net.forward(blobs=blobs, **batch))  # type: ignore[arg-type]  # names of blobs
    return {name: np.concatenate(parts)[:count] for name, parts in kept.items()}


def forward_backward_all(
    net: OneBatch, blobs: Sequence[str] | None, diffs: Sequence[str] | None, arrays: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run all items forward and backward, as many at a time as the net's first blob has.

    The padding of the last batch is cut off every array; Caffe leaves it on all diffs but as many as there are
    outputs.

    Args:
        net: the net.
        blobs: blobs to return besides the outputs.
        diffs: blobs whose diffs to return besides those of the inputs.
        arrays: an array (N, ...) for every input, or none of them to take what the input blobs hold; and a diff
            (N, ...) for every output, or none of them to take what the output blobs hold.

    Returns:
        Blobs and diffs, copies, (N, ...) each.

    Raises:
        Refused: nothing given, or arrays of different lengths.
    """
    count = _length(arrays)
    forth = split(net, {name: arrays[name] for name in net.inputs if name in arrays})
    back = split(net, {name: arrays[name] for name in net.outputs if name in arrays})
    kept_blobs: dict[str, list[Array]] = {}
    kept_diffs: dict[str, list[Array]] = {}
    nothing: dict[str, Array] = {}
    for inputs, tops in zip_longest(forth, back, fillvalue=nothing):
        _gather(kept_blobs, net.forward(blobs=blobs, **inputs))  # type: ignore[arg-type]  # names of blobs
        _gather(kept_diffs, net.backward(diffs=diffs, **tops))  # type: ignore[arg-type]  # names of blobs
    return (
        {name: np.concatenate(parts)[:count] for name, parts in kept_blobs.items()},
        {name: np.concatenate(parts)[:count] for name, parts in kept_diffs.items()},
    )


def split(net: OneBatch, arrays: Mapping[str, Array]) -> Iterator[dict[str, Array]]:
    """Batches of the net's size; the last one filled up with zeros."""
    if not arrays:
        return
    size = next(iter(net.blobs.values())).shape[0]
    count = _length(arrays)
    for start in range(0, count, size):
        batch = {name: np.asarray(array[start : start + size]) for name, array in arrays.items()}
        missing = start + size - count
        if missing > 0:
            batch = {
                name: np.concatenate([part, np.zeros((missing, *part.shape[1:]), part.dtype)])
                for name, part in batch.items()
            }
        yield batch


def _length(arrays: Mapping[str, Array]) -> int:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        told = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise Refused(f"arrays of lengths {told or 'none at all'}, expected all of one length, at least 1")
    return next(iter(lengths.values()))


def _gather(kept: dict[str, list[Array]], found: Mapping[str, Array]) -> None:
    for name, array in found.items():
        kept.setdefault(name, []).append(np.atleast_1d(array.copy()))
