"""Warn of losses that real Caffe counts but does not train on."""

from __future__ import annotations

import logging

from workflow.net.spec import NetSpec


def warn_of_read_losses(spec: NetSpec) -> None:
    """Warn of losses without a loss_weight that another layer reads.

    The weight is in the top's diff, which the reader's backward pass overwrites, if it has one, or which Net::Init
    takes for a dead end, if it has none. A weight that is said goes to a Split layer's top of its own.
    Source: src/caffe/net.cpp, Net::Init and Net::BackwardFromTo; src/caffe/util/insert_splits.cpp.
    """
    weighted: dict[str, str] = {}
    for layer in spec.layers:
        for bottom in layer.bottoms:
            if bottom in weighted:
                logging.getLogger("workflow").warning(
                    "layer '%s' reads '%s', the loss of layer '%s', which says no loss_weight: real Caffe counts that "
                    "loss but does not learn from it then (nor do scripts on workflow.pycaffe), wf train does. "
                    "Give it loss_weight: 1 if both must train alike",
                    layer.name,
                    bottom,
                    weighted[bottom],
                )
        tops = zip(layer.tops, layer.loss_weights, strict=True)
        weighted.update({top: layer.name for top, weight in tops if weight and layer.type.endswith("Loss")})
