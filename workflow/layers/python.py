"""Python: a layer implemented by a class of the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workflow.errors import WorkflowError
from workflow.formats import blobproto, caffe_pb2
from workflow.layers.base import Layer, ParamBlob, Shape, layer
from workflow.layers.blob import Blob, Numbers
from workflow.layers.user_module import complaint, load_class
from workflow.net.spec import LayerSpec


@layer("Python", bottoms=(0, None), tops=(0, None))
class Python(Layer):
    """Runs the class `layer` of the module `module`, which is looked for in the project folder first.

    The class derives from `caffe.Layer` (`workflow.pycaffe.Layer`) and has setup, reshape, forward and backward, as
    in pycaffe; `UserLayer` tells what each is given. Naming a module in a prototxt means running it: use those you
    trust. `share_in_parallel` belongs to several GPUs. Source: include/caffe/layers/python_layer.hpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.python_param
        if not param.module or not param.layer:
            raise self.fail(f"module '{param.module}' and layer '{param.layer}', expected the names of both")
        self.message = caffe_pb2.LayerParameter()  # its blobs will be what `setup` makes
        self.message.CopyFrom(spec.message)
        kind = load_class(param.module, param.layer, folder)
        try:
            self.instance: Any = kind(self.message)
        except WorkflowError:
            raise
        except Exception as error:  # the user's code may raise anything
            raise complaint(f"{self._name()}: cannot make one of it", error, folder) from error
        if not hasattr(self.instance, "blobs"):
            raise self.fail(f"class '{param.layer}' does not derive from caffe.Layer, or its __init__ forgets super()")
        self.instance.param_str = param.param_str
        self.instance.phase = caffe_pb2.Phase.Value(spec.phase)
        self._bottoms = [Blob.zeros() for _ in spec.bottoms]
        # a top in place is its bottom
        self._tops = [
            self._bottoms[i] if i < len(spec.bottoms) and spec.bottoms[i] == top else Blob.zeros()
            for i, top in enumerate(spec.tops)
        ]
        self._ready = False

    def _name(self) -> str:
        return f"layer '{self.spec.name}' (Python, class '{self.spec.message.python_param.layer}')"

    def _call(self, method: str, *arguments: object) -> None:
        try:
            getattr(self.instance, method)(*arguments)
        except WorkflowError:
            raise
        except Exception as error:  # the user's code may raise anything
            raise complaint(f"{self._name()}: {method}()", error, self.folder) from error

    # ---- shapes and parameters ----

    def _set_up(self, *bottoms: Shape) -> None:
        """`setup`, once."""
        for blob, shape in zip(self._bottoms, bottoms, strict=True):
            blob.reshape(*shape)
        if self._ready:
            return
        for message in self.message.blobs:
            self.instance.blobs.add_blob(*blobproto.shape_of(message))
            self.instance.blobs[-1].data[...] = blobproto.to_array(message)
        self._call("setup", self._bottoms, self._tops)
        del self.message.blobs[:]
        self.message.blobs.extend(blobproto.from_array(blob.data) for blob in self.instance.blobs)
        self._ready = True

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        self._set_up(*bottoms)
        filler = caffe_pb2.FillerParameter()  # not used: the message has blobs
        return [ParamBlob(shape=blob.shape, filler=filler) for blob in self.instance.blobs]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        """What `reshape` makes of them; as in Caffe, a class that draws its batch in there is asked once a pass."""
        self._set_up(*bottoms)
        self._call("reshape", self._bottoms, self._tops)
        return [top.shape for top in self._tops]

    # ---- running ----

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        tops: tuple[Tensor, ...] = _Called.apply(self, len(bottoms), *bottoms, *self.blobs)  # type: ignore[no-untyped-call]  # torch's own
        return list(tops)

    def run_forward(self, bottoms: Sequence[Tensor], params: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Values of the tops, for values of bottoms and parameters."""
        self.top_shapes(*[tuple(bottom.shape) for bottom in bottoms])
        for blob, bottom in zip(self._bottoms, bottoms, strict=True):
            blob.data[...] = bottom.detach().float().cpu().numpy()
        for blob, param in zip(self.instance.blobs, params, strict=True):
            if param.device.type != "cpu":
                raise self.fail("a Python layer with parameters runs on the CPU alone", hint="--device cpu")
            blob.numbers.alias(Numbers.of(param))
        self._call("forward", self._bottoms, self._tops)
        return tuple(torch.from_numpy(np.array(top.data)) for top in self._tops)

    def run_backward(self, tops: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor]:
        """Gradients of bottoms and parameters, for those of the tops."""
        for blob in (*self._bottoms, *self.instance.blobs):
            blob.diff[...] = 0
        for blob, top in zip(self._tops, tops, strict=True):
            blob.diff[...] = top.detach().float().cpu().numpy()
        self._call("backward", self._tops, list(wanted[: len(self._bottoms)]), self._bottoms)
        return [torch.from_numpy(np.array(blob.diff)) for blob in (*self._bottoms, *self.instance.blobs)]


class _Called(torch.autograd.Function):
    """The user's forward and backward as one step of a graph."""

    @staticmethod
    def forward(context: Any, runner: Python, count: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        context.runner = runner
        return runner.run_forward(tensors[:count], tensors[count:])

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        wanted = context.needs_input_grad[2:]
        found = context.runner.run_backward(gradients, wanted)
        return None, None, *[one if needed else None for one, needed in zip(found, wanted, strict=True)]
