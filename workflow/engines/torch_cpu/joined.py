"""BatchNorm and the Scale that works in place behind it, done as one operation.

PyTorch's batch_norm multiplies and adds on its way; as layers of their own these are two more passes over the blob,
and four backwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflow.engines.base import Shape
from workflow.layers import Layer
from workflow.layers.base import axis_of
from workflow.net.spec import LayerSpec


def scales(layers: Sequence[Layer], shapes: Mapping[str, Shape]) -> dict[int, Layer]:
    """The number of each BatchNorm that can do the work of the Scale behind it -> that Scale.

    No blob is lost: the Scale overwrites what BatchNorm alone would give. It must have one number a channel.
    """
    pairs = zip(enumerate(layers), layers[1:], strict=False)
    return {number: scale for (number, norm), scale in pairs if _fit(norm.spec, scale, shapes)}


def _fit(norm: LayerSpec, scale: Layer, shapes: Mapping[str, Shape]) -> bool:
    spec, param = scale.spec, scale.message.scale_param
    return (
        (norm.type, spec.type) == ("BatchNorm", "Scale")
        and spec.bottoms == spec.tops == norm.tops
        and all(spec.propagate_down)
        and not any((*norm.loss_weights, *spec.loss_weights))
        and axis_of(scale, param.axis, len(shapes[norm.tops[0]])) == 1
        and scale.blobs[0].dim() == 1
    )
