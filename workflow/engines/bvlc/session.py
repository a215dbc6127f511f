"""A net in TEST phase inside a worker."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from workflow.engines.base import Array
from workflow.engines.bvlc.process import Worker
from workflow.errors import ModelError, NetError, did_you_mean
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import render


class Session:
    """What `workflow.engines.base.Session` promises, in real Caffe; closing it ends the process.

    Attributes:
        inputs: tops of the net's Input layers.
        outputs: blobs that no layer reads, sorted.
    """

    def __init__(
        self, worker: Worker, net: caffe_pb2.NetParameter, weights: caffe_pb2.NetParameter | None, source: Path | None
    ) -> None:
        """Build the net in a worker that is started, and copy the weights; on failure the worker is ended.

        Raises:
            NetError: Caffe does not build it.
            ModelError: the weights do not fit.
        """
        self._worker = worker
        self._name = net.name
        try:
            with tempfile.TemporaryDirectory(prefix="wf-caffe-") as folder:
                reply = self._open(Path(folder), net, weights)
        except (NetError, ModelError) as error:
            worker.close()
            if error.at is None and source is not None:
                raise type(error)(error.message, at=source, hint=error.hint, fault=error.fault) from error
            raise
        except BaseException:
            worker.close()
            raise
        self.inputs: tuple[str, ...] = tuple(reply["inputs"])
        self.outputs: tuple[str, ...] = tuple(reply["outputs"])
        self._axes = {name: tuple(shape) for name, shape in reply["shapes"].items()}

    def _open(
        self, folder: Path, net: caffe_pb2.NetParameter, weights: caffe_pb2.NetParameter | None
    ) -> Mapping[str, Mapping[str, Sequence[int]]]:
        # files, since Caffe takes nothing else; binary weights, whatever they came from
        prototxt, model = folder / "net.prototxt", folder / "weights.caffemodel"
        prototxt.write_text(render(net), encoding="utf-8")
        reply = self._worker.request("open", path=str(prototxt), level=net.state.level, blame=NetError)
        if weights is not None:
            model.write_bytes(weights.SerializeToString())
            self._worker.request("weights", path=str(model), blame=ModelError)
        return reply.fields

    def forward(self, wanted: Collection[str] | None = None, /, **inputs: Array) -> dict[str, Array]:
        """The blobs asked for, or all, after the whole pass, inputs first, then in net order; float32 copies.

        Args:
            wanted: the blobs to hand out; None is all of them.
            inputs: one array for each of the net's inputs; sizes other than the prototxt's reshape the net.

        Raises:
            NetError: an input is missing or unknown, or its shape does not fit. Caffe ends when a layer finds that
                out; the session is over then.
        """
        reply = self._worker.request("forward", arrays=self._given(inputs), blame=NetError)
        blobs = dict(reply.arrays)
        blobs = {**{name: blobs[name] for name in self.inputs}, **blobs}
        return blobs if wanted is None else {name: array for name, array in blobs.items() if name in wanted}

    @cached_property
    def params(self) -> Mapping[str, Sequence[Array]]:
        """Layer name -> its parameter blobs, weights first, for layers that have any; copies."""
        found: dict[str, list[Array]] = {}
        for name, array in self._worker.request("params").arrays:
            found.setdefault(name, []).append(array)
        return found

    def timings(self, batch: int, *, backward: bool) -> tuple[list[str], Array]:
        """Layer names, and their seconds in one pass over so many pictures: float32 (2, layers), forward, backward."""
        reply = self._worker.request("timings", blame=NetError, batch=batch, backward=backward)
        return list(reply.fields["layers"]), reply.arrays[0][1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.close()

    def _given(self, inputs: Mapping[str, Array]) -> list[tuple[str, Array]]:
        for name in inputs:
            if name not in self.inputs:
                hint = did_you_mean(name, self.inputs) or "the net reads from a database"
                raise NetError(f"net '{self._name}' has no input '{name}'", hint=hint)
        given = []
        for name in self.inputs:
            if name not in inputs:
                raise NetError(f"net '{self._name}' was not given its input '{name}'")
            array, planned = np.asarray(inputs[name], np.float32), self._axes[name]
            if array.ndim != len(planned) or 0 in array.shape:
                raise NetError(f"input '{name}' of shape {array.shape}, expected {len(planned)} axes as in {planned}")
            given.append((name, array))
        return given
