"""Start from the weights of another generation, whose classes may differ.

The weights are not loaded as they are then: a caffemodel with a row for each class of this generation is written to
the generation's weights/, and both engines start from that file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.formats import blobproto, caffe_pb2, caffemodel, prototxt
from workflow.generations import Generation, Record, Reference, resolve
from workflow.net import growth
from workflow.net.fill import classifying_layer
from workflow.training.start import Start


@dataclass(frozen=True, kw_only=True)
class Grown:
    """Weights that were changed for this generation's classes."""

    source: str
    """`gen5/iter_6000`."""
    path: Path
    growth: growth.Growth

    @property
    def words(self) -> str:
        """One line for people."""
        return f"{self.source} for these classes: {self.growth.words}"


def fit(
    config: Config, generation: Generation, record: Record, begin: Start, *, seed: int
) -> tuple[Start, tuple[Grown, ...]]:
    """Fit the starting weights to this generation's classes; unchanged where the classes are the same.

    External weights, whose classes are unknown, are left unchanged, and so are those that do not have the
    classifying layer of this net.

    Args:
        config: says where the generations are.
        generation: with its prototxt as run.
        record: its record.
        begin: what the run begins with.
        seed: of the fillers of new rows; below 0 draws one.

    Raises:
        ModelError: C01 damaged weights; C02 a classifying layer of another shape.
        NetError: a filler that is unknown.
    """
    paths, grown = [], []
    for path in begin.weights:
        source = resolve(config, str(path))
        theirs = _classes(source)
        one = None if theirs in (None, record.classes) else _grow(source, theirs or (), generation, record, seed)
        if one is not None:
            grown.append(one)
        paths.append(path if one is None else one.path)
    return replace(begin, weights=tuple(paths)), tuple(grown)


def _classes(source: Reference) -> tuple[str, ...] | None:
    return None if source.generation is None else source.generation.read().classes


def _grow(
    source: Reference, theirs: tuple[str, ...], generation: Generation, record: Record, seed: int
) -> Grown | None:
    layer = classifying_layer(prototxt.read_net(generation.prototxt("train_test")))
    weights = caffemodel.read(source.weights)
    old = next((one for one in weights.layer if one.name == layer.name and one.blobs), None)
    if old is None:
        return None
    result = growth.grow(
        weights,
        layer.name,
        before=theirs,
        after=record.classes,
        filled=_filled(layer, old, len(record.classes), seed),
        transposed=layer.inner_product_param.transpose,
    )
    stem = source.name.replace("/", "_") if source.iteration is not None else source.weights.name.partition(".")[0]
    path = generation.folder / "weights" / f"{stem}_grown.caffemodel"
    path.parent.mkdir(exist_ok=True)
    caffemodel.write(path, result)
    return Grown(source=source.name, path=path, growth=growth.plan(layer.name, theirs, record.classes))


def _filled(
    layer: caffe_pb2.LayerParameter, old: caffe_pb2.LayerParameter, classes: int, seed: int
) -> list[NDArray[np.float32]]:
    """The blobs of the classifying layer as its fillers fill them, in the sizes of the old ones but for the classes."""
    import torch  # 2 s that only a start from other classes takes, where the engine is Caffe

    from workflow.layers.fillers import fill

    inner = layer.type == "InnerProduct"
    param = layer.inner_product_param if inner else layer.convolution_param
    fillers = [param.weight_filler, param.bias_filler] if param.bias_term else [param.weight_filler]
    generator = torch.Generator().manual_seed(seed if seed >= 0 else torch.seed() % 2**31)
    blobs = []
    for index, (filler, blob) in enumerate(zip(fillers, old.blobs, strict=False)):
        shape = blobproto.shape_of(blob)
        if inner or index:
            shape = shape[-1:] if index else shape[-2:]
        turned = inner and layer.inner_product_param.transpose and not index
        tensor = torch.empty((*shape[:-1], classes) if turned else (classes, *shape[1:]))
        fill(tensor, filler, generator)
        blobs.append(tensor.numpy())
    return blobs
