"""Split layers: a blob read by several layers gets a copy for each of them, as in Caffe.

Source: src/caffe/util/insert_splits.cpp, InsertSplits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workflow.errors import NetError, did_you_mean
from workflow.formats import caffe_pb2
from workflow.net.sources import where

_Place = tuple[int, int]  # (index of the layer, index of its top)


def insert_splits(
    layers: Sequence[caffe_pb2.LayerParameter], others: Sequence[caffe_pb2.LayerParameter] = ()
) -> list[caffe_pb2.LayerParameter]:
    """Copies of the layers with a Split after every top that has more than one reader.

    `others` are the net's layers of any phase, in which a hint may find what is missing.

    A top with a loss weight that is not 0 has the loss as one reader more; the Split takes that weight over.

    Raises:
        NetError: a layer reads a blob that no earlier layer makes.
    """
    sources = _sources(layers, others)
    readers = Counter(sources.values())
    for index, layer in enumerate(layers):
        for top, weight in enumerate(layer.loss_weight):
            if weight and top < len(layer.top):
                readers[index, top] += 1
    taken: Counter[_Place] = Counter()
    result = []
    for index, layer in enumerate(layers):
        copy = caffe_pb2.LayerParameter()
        copy.CopyFrom(layer)
        for bottom, name in enumerate(layer.bottom):
            place = sources[index, bottom]
            if readers[place] > 1:
                copy.bottom[bottom] = _split_top(name, layers[place[0]].name, place[1], taken[place])
                taken[place] += 1
        result.append(copy)
        for top in range(len(layer.top)):
            if readers[index, top] > 1:
                result.append(_split(copy, layers[index].top[top], top, readers[index, top]))
                taken[index, top] += bool(result[-1].loss_weight)
    return result


def _sources(
    layers: Sequence[caffe_pb2.LayerParameter], others: Sequence[caffe_pb2.LayerParameter]
) -> dict[_Place, _Place]:
    """(layer, bottom) -> (layer, top) that made the blob last."""
    made: dict[str, _Place] = {}
    sources = {}
    for index, layer in enumerate(layers):
        for bottom, name in enumerate(layer.bottom):
            if name not in made:
                raise NetError(
                    f"layer '{layer.name}' reads '{name}', which no earlier layer makes",
                    hint=_elsewhere(name, others) or did_you_mean(name, list(made)),
                    fault="X05",
                )
            sources[index, bottom] = made[name]
        for top, name in enumerate(layer.top):
            made[name] = (index, top)
    return sources


def _elsewhere(blob: str, others: Sequence[caffe_pb2.LayerParameter]) -> str | None:
    """Which layers make the blob in another phase or stage."""
    makers = [f"layer '{one.name}' makes it {where(one)}" for one in others if blob in one.top]
    return "; ".join(dict.fromkeys(makers)) or None


def _split(producer: caffe_pb2.LayerParameter, blob: str, top: int, count: int) -> caffe_pb2.LayerParameter:
    names = [_split_top(blob, producer.name, top, copy) for copy in range(count)]
    split = caffe_pb2.LayerParameter(name=_split_name(blob, producer.name, top), type="Split", bottom=[blob], top=names)
    if top < len(producer.loss_weight) and producer.loss_weight[top]:
        split.loss_weight.extend([producer.loss_weight[top]] + [0.0] * (count - 1))
        producer.loss_weight[top] = 0.0
    return split


def _split_name(blob: str, layer: str, top: int) -> str:
    return f"{blob}_{layer}_{top}_split"


def _split_top(blob: str, layer: str, top: int, copy: int) -> str:
    return f"{_split_name(blob, layer, top)}_{copy}"
