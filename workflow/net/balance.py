"""Weigh the classes of a training loss, so that a rare class counts as much as a common one.

Caffe does it with InfogainLoss and a diagonal matrix H: a picture's loss is H[label, label] times its softmax loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workflow.errors import NetError
from workflow.formats import caffe_pb2


def matrix(counts: Sequence[int]) -> NDArray[np.float32]:
    """H for these numbers of training pictures: float32 (K, K), on its diagonal sum(counts) / (K * count).

    So all classes weigh the same, and the mean weight of a training picture is 1: losses stay comparable. A class
    without pictures has weight 0.
    """
    numbers = np.asarray(counts, np.float64)
    present = numbers > 0
    shares = np.divide(numbers.sum() / max(1, present.sum()), numbers, out=np.zeros_like(numbers), where=present)
    return np.diag(shares).astype(np.float32)


def balanced(net: caffe_pb2.NetParameter, source: str) -> caffe_pb2.NetParameter:
    """A copy of a train_test net whose softmax loss is weighted in TRAIN phase and as it was in TEST phase.

    Args:
        net: with one SoftmaxWithLoss layer for both phases.
        source: the file of `matrix`, as Caffe will open it.

    Raises:
        NetError: there is no such layer, or it has settings that InfogainLoss does not know.
    """
    losses = [layer for layer in net.layer if layer.type == "SoftmaxWithLoss" and not (layer.include or layer.exclude)]
    if len(losses) != 1:
        raise NetError(
            f"train.balance: net '{net.name}' has {len(losses)} SoftmaxWithLoss layers for both phases, expected 1",
            hint="balance: none, or weigh the classes in the net itself with InfogainLoss",
        )
    if losses[0].loss_param.HasField("normalize"):
        raise NetError(
            f"train.balance: layer '{losses[0].name}' has loss_param.normalize, which InfogainLoss does not know",
            hint="write normalization: VALID (true) or BATCH_SIZE (false) in its place",
        )
    result = caffe_pb2.NetParameter()
    result.CopyFrom(net)
    del result.layer[:]
    for layer in net.layer:
        if layer.name != losses[0].name or layer.type != losses[0].type:
            result.layer.add().CopyFrom(layer)
            continue
        weighted = result.layer.add()
        weighted.CopyFrom(layer)
        weighted.type = "InfogainLoss"
        weighted.infogain_loss_param.source = source
        if layer.HasField("softmax_param"):
            weighted.infogain_loss_param.axis = layer.softmax_param.axis
            weighted.ClearField("softmax_param")
        weighted.include.add(phase=caffe_pb2.TRAIN)
        plain = result.layer.add()
        plain.CopyFrom(layer)
        plain.include.add(phase=caffe_pb2.TEST)
    return result
