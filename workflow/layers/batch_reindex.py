"""BatchReindex."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, layer


@layer("BatchReindex", bottoms=2, tops=1)
class BatchReindex(Layer):
    """Items picked by number, in any order and any number of times.

    bottom[0]  x      (N, ...)        bottom[1]  which  (M,)  whole numbers 0..N-1
    top[0]     y      (M, ...)        y[i] = x[which[i]]

    `which` gets no gradient. Source: src/caffe/layers/batch_reindex_layer.cpp.
    """

    def forward(self, x: Tensor, which: Tensor) -> Tensor:
        if which.dim() != 1:
            raise self.fail(f"indices of shape {tuple(which.shape)}, expected one axis")
        if not x.dim():
            raise self.fail("bottom of shape (), expected (N, ...)")
        index = which.detach().long()
        if not index.is_meta and bool(((index < 0) | (index >= x.shape[0])).any()):
            wrong = index[(index < 0) | (index >= x.shape[0])]
            raise self.fail(f"index {int(wrong[0])}, but there are {x.shape[0]} items (0 to {x.shape[0] - 1})")
        return x.index_select(0, index)
