"""The base class of Python layers, pycaffe's `caffe.Layer`."""

from __future__ import annotations

from workflow.layers.blob import Blob


class UserBlobs(list[Blob]):
    """The parameters of a Python layer; `add_blob` in `setup` makes them (pycaffe's BlobVec)."""

    def add_blob(self, *dims: int) -> None:
        """One more parameter, zeros of that shape."""
        self.append(Blob.zeros(tuple(int(size) for size in dims)))


class UserLayer:
    """The base class of the classes that `python_param` names: pycaffe's `caffe.Layer`.

    It has the four methods below. `bottom` and `top` are lists of blobs.

    Attributes:
        param_str: text of the prototxt, for the class to interpret.
        phase: 0 in TRAIN phase, 1 in TEST phase.
        blobs: the parameters.
    """

    def __init__(self, layer_param: object = None, *args: object, **kwargs: object) -> None:
        """Takes no settings: they are set when `setup` is called."""
        del layer_param, args, kwargs
        self.param_str = ""
        self.phase = 0
        self.blobs = UserBlobs()

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Called once: read `param_str`, check `bottom`, add parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no setup(bottom, top)")

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Called before every `forward`: give the tops their shapes."""
        raise NotImplementedError(f"{type(self).__name__} has no reshape(bottom, top)")

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Write `top[i].data`."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(bottom, top)")

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Write `bottom[i].diff` from `top[i].diff` where `propagate_down[i]`, and add to `blobs[i].diff`."""
        raise NotImplementedError(f"{type(self).__name__} has no backward(top, propagate_down, bottom)")
