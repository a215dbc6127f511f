"""pycaffe's `Net`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from workflow.engines.torch_cpu.snapshots import read_weights
from workflow.errors import NetError, did_you_mean
from workflow.formats import caffe_pb2, caffemodel
from workflow.formats.prototxt import read_net
from workflow.layers.blob import Array, Blob
from workflow.net.build import build
from workflow.net.spec import Phase
from workflow.pycaffe import batches, mode
from workflow.pycaffe.execution import Running
from workflow.pycaffe.refusals import BlobUnknown, FeedRefused, FileMissing, Refused
from workflow.pycaffe.surface import LayerView, Named

FilePath = str | PathLike[str]


class Net(Named):
    """A net that a script can run, read and change.

    `Net(file, phase, level=0, stages=None, weights=None)`, or as before 2016 `Net(file, weights, phase)`.
    Source: python/caffe/pycaffe.py and _caffe.cpp of BVLC Caffe.
    """

    def __init__(
        self,
        network_file: FilePath,
        *args: int | FilePath,
        phase: int | None = None,
        level: int = 0,
        stages: Sequence[str] | None = None,
        weights: FilePath | None = None,
    ) -> None:
        """Build the net of one phase and copy weights into it.

        Args:
            network_file: prototxt of the net, of any age.
            args: the phase and then level, stages and weights; or the weights and the phase.
            phase: `caffe.TRAIN` or `caffe.TEST`.
            level: asked by `min_level` and `max_level` rules.
            stages: added to those of the net's own state.
            weights: a caffemodel, binary or HDF5.

        Raises:
            FileMissing: one of the files is not there (a RuntimeError too).
            WorkflowError: the net cannot be built, or the weights do not fit.
        """
        if len(args) == 2 and not isinstance(args[0], int):
            weights, phase = args[0], args[1]  # type: ignore[assignment]  # the old order, told by its types
        elif args:
            given = dict(zip(("phase", "level", "stages", "weights"), args, strict=False))
            phase, level = given.get("phase", phase), given.get("level", level)  # type: ignore[assignment]  # as above
            stages, weights = given.get("stages", stages), given.get("weights", weights)  # type: ignore[assignment]
        if phase not in (caffe_pb2.TRAIN, caffe_pb2.TEST):
            raise Refused(f"Net: phase {phase!r}, expected caffe.TRAIN or caffe.TEST")
        source = _existing(network_file)
        name: Phase = "TRAIN" if phase == caffe_pb2.TRAIN else "TEST"
        spec = build(read_net(source), phase=name, level=level, stages=tuple(stages or ()), source=source)
        self._open(Running(spec, seed=mode.draw_seed()))
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def around(cls, running: Running) -> Self:
        """The surface of a net that a solver has built."""
        net = cls.__new__(cls)
        net._open(running)
        return net

    def _open(self, running: Running) -> None:
        super().__init__(running)
        self.blobs: OrderedDict[str, Blob] = OrderedDict(running.memory)
        self.layers = [
            LayerView(layer.spec.type, blobs, layer)
            for layer, blobs in zip(running.layers, running.param_memory, strict=True)
        ]
        self.layer_dict = OrderedDict(zip(self._layer_names, self.layers, strict=True))
        self.params = OrderedDict(
            (name, view.blobs) for name, view in zip(self._layer_names, self.layers, strict=True) if view.blobs
        )

    # ---- running ----

    def forward(
        self,
        blobs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **inputs: ArrayLike,
    ) -> dict[str, Array]:
        """Run the layers from `start` to `end`, both included.

        Args:
            blobs: blobs to return besides the outputs.
            start: name of the first layer to run; the first of all by default.
            end: name of the last layer to run; the last of all by default.
            inputs: an array for every input of the net; without any, the input blobs keep what they hold.

        Returns:
            Live arrays of the net's outputs, or of the tops of `end`, and of `blobs`.

        Raises:
            Refused: inputs that are not the net's or not of its batch size, unknown layers or blobs, or shapes that
                do not fit a layer.
        """
        first, last = self._index(start, 0), self._index(end, len(self.layers) - 1)
        wanted = [*(self.outputs if end is None else self.top_names[end]), *(blobs or ())]
        self._check_blobs(wanted)
        if inputs:
            self._fill(inputs, self.inputs, "Input blob arguments do not match net inputs.", "Input", data=True)
        self._forward(first, last)
        return {name: self.blobs[name].data for name in wanted}

    def backward(
        self,
        diffs: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **tops: ArrayLike,
    ) -> dict[str, Array]:
        """Run the layers from `start` down to `end`, both included; diffs of parameters add up.

        Without `force_backward: true` in the net, only what a loss depends on and can learn gets a gradient.

        Args:
            diffs: blobs whose diffs to return besides those of the inputs.
            start: name of the layer to begin with; the last of all by default.
            end: name of the layer to end with; the first of all by default.
            tops: a diff for every output of the net; without any, the diffs are taken as they are, which for a loss
                is its weight.

        Returns:
            Live arrays: diffs of the net's inputs, or of the bottoms of `end`, and of `diffs`.

        Raises:
            Refused: diffs that are not of the net's outputs or not of their batch size, unknown layers or blobs.
        """
        first, last = self._index(start, len(self.layers) - 1), self._index(end, 0)
        wanted = [*(self.inputs if end is None else self.bottom_names[end]), *(diffs or ())]
        self._check_blobs(wanted)
        if tops:
            self._fill(tops, self.outputs, "Top diff arguments do not match net outputs.", "Diff", data=False)
        self._backward(first, last)
        return {name: self.blobs[name].diff for name in wanted}

    def forward_all(self, blobs: Sequence[str] | None = None, **inputs: Array) -> dict[str, Array]:
        """`forward` over arrays of any length, batch by batch; see `batches.forward_all`."""
        return batches.forward_all(self, blobs, inputs)

    def forward_backward_all(
        self, blobs: Sequence[str] | None = None, diffs: Sequence[str] | None = None, **arrays: Array
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """`forward` and `backward` over arrays of any length; see `batches.forward_backward_all`."""
        return batches.forward_backward_all(self, blobs, diffs, arrays)

    def _forward(self, first: int, last: int) -> float:
        """Layers by number, both included; returns the sum of weighted losses."""
        return self._running.forward_range(first, last)

    def _backward(self, first: int, last: int) -> None:
        """Layers by number, from `first` down to `last`."""
        self._running.backward_range(first, last)

    def reshape(self) -> None:
        """Let all layers follow the shapes of the input blobs, without running."""
        self._running.reshape()

    def clear_param_diffs(self) -> None:
        """Make the diffs of all parameters zero."""
        self._running.clear_param_diffs()

    def set_input_arrays(self, data: Array, labels: Array) -> None:
        """Give the net's MemoryData layer its pictures (N, C, H, W) and labels (N,), N full batches.

        Both must be float32 and C-contiguous: they are not copied.

        Raises:
            FeedRefused: the net's first layer is no MemoryData, or the arrays do not fit it (a RuntimeError too).
        """
        layer = self._running.layers[0]
        feed = getattr(layer, "set_arrays", None)
        if feed is None:
            raise FeedRefused(f"set_input_arrays: first layer '{layer.spec.name}' is {layer.spec.type}, not MemoryData")
        for name, array in (("data", data), ("labels", labels)):
            if array.dtype != np.float32 or not array.flags.c_contiguous:
                order = "C-contiguous" if array.flags.c_contiguous else "not C-contiguous"
                raise FeedRefused(
                    f"set_input_arrays: {name} are {array.dtype}, {order}, expected float32, C-contiguous",
                    hint=f"numpy.ascontiguousarray({name}, numpy.float32)",
                )
        try:
            feed(data, labels.reshape(-1))
        except NetError as error:
            raise FeedRefused(error.message, at=error.at, hint=error.hint, fault=error.fault) from None

    # ---- weights ----

    def copy_from(self, weights: FilePath) -> None:
        """Copy weights out of a caffemodel, binary or HDF5, layer by layer, matched by name.

        Raises:
            FileMissing: it is not there.
            ModelError: it is damaged, or numbers or shapes of blobs differ.
        """
        self._running.copy_from(read_weights(_existing(weights)))

    def share_with(self, other: Net) -> None:
        """Use the other net's parameters, in its memory, for all layers of the same names."""
        self._running.share_with(other._running)

    def save(self, path: FilePath) -> None:
        """Write a binary caffemodel."""
        caffemodel.write(Path(path), self._running.message())

    def save_hdf5(self, path: FilePath, write_diff: bool = False) -> None:
        """Write an HDF5 caffemodel, with the diffs of parameters beside their data on demand."""
        caffemodel.write_hdf5(Path(path), self._running.message(gradients=write_diff))

    def load_hdf5(self, path: FilePath) -> None:
        """Copy weights out of an HDF5 caffemodel."""
        self.copy_from(path)

    # ---- callbacks ----

    def before_forward(self, function: Callable[[int], object]) -> None:
        """Call `function(index of the layer)` before each layer's forward."""
        self._running.callbacks["before_forward"].append(function)

    def after_forward(self, function: Callable[[int], object]) -> None:
        """Call it after each layer's forward."""
        self._running.callbacks["after_forward"].append(function)

    def before_backward(self, function: Callable[[int], object]) -> None:
        """Call it before each layer's backward."""
        self._running.callbacks["before_backward"].append(function)

    def after_backward(self, function: Callable[[int], object]) -> None:
        """Call it after each layer's backward."""
        self._running.callbacks["after_backward"].append(function)

    # ---- checks ----

    def _index(self, layer: str | None, default: int) -> int:
        if layer is None:
            return default
        if layer not in self._layer_names:
            raise Refused(f"net has no layer '{layer}'", hint=did_you_mean(layer, self._layer_names))
        return self._layer_names.index(layer)

    def _check_blobs(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.blobs:
                raise BlobUnknown(f"net has no blob '{name}'", hint=did_you_mean(name, list(self.blobs)))

    def _fill(
        self, arrays: dict[str, ArrayLike], names: Sequence[str], complaint: str, what: str, *, data: bool
    ) -> None:
        if set(arrays) != set(names):
            raise Refused(f"{complaint} (got {', '.join(arrays)}; expected {', '.join(names) or 'none'})")
        for name, given in arrays.items():
            target = self.blobs[name].data if data else self.blobs[name].diff
            array = np.asarray(given)
            if array.shape[:1] != target.shape[:1]:
                raise Refused(f"{what} is not batch sized: '{name}' has shape {array.shape}, expected {target.shape}")
            try:
                target[...] = array
            except ValueError:
                raise Refused(f"'{name}' has shape {array.shape}, expected {target.shape}") from None


def _existing(path: FilePath) -> Path:
    if not Path(path).is_file():
        raise FileMissing(f"Could not open file {path}", hint="check the path; it is relative to the current folder")
    return Path(path)
