"""The values that `wf` fills into the user's prototxt before a run.

LMDB sources, mean file, batch and iteration count of the test pass, outputs of the classifying layer, snapshot prefix
and, where a flag asks for them, max_iter and random_seed. No other number is touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.sources import places
from workflow.words import by

_CLASSIFIERS = {"InnerProduct": "inner_product_param", "Convolution": "convolution_param"}
_MIXING = ("Concat", "Permute", "Slice")
"""After these layers the outputs of one layer are not the classes: anchors of a detector, several heads."""
_HEADS = ("SoftmaxWithLoss", "Softmax", "SigmoidCrossEntropyLoss", "HingeLoss", "MultinomialLogisticLoss")


class Filling(Struct, frozen=True, kw_only=True):
    """The facts of one generation, as a prototxt needs them; paths relative to the project folder."""

    train_source: str
    test_source: str
    mean: str
    classes: int
    shape: tuple[int, int, int]
    """(channels, height, width) of the stored pictures."""
    test_count: int


class TestPass(Struct, frozen=True, kw_only=True):
    """How one test pass covers every test picture exactly once: `batch` pictures, `batches` times."""

    __test__ = False  # pytest: not a test

    batch: int
    batches: int


def test_pass(count: int, wished: int) -> TestPass:
    """The batch size nearest to `wished` that divides `count`, so that no picture is scored twice or left out.

    A count whose divisors are all far smaller than wished (a prime, say) goes as one batch up to 1,000 pictures.
    """
    if count % wished == 0:
        return TestPass(batch=wished, batches=count // wished)
    divisors = [size for size in range(1, min(count, 2 * wished) + 1) if count % size == 0]
    best = min(divisors, key=lambda size: (abs(size - wished), size))
    if best < wished / 8 and count <= 1000:
        best = count
    return TestPass(batch=best, batches=count // best)


test_pass.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def fill_train_test(net: caffe_pb2.NetParameter, facts: Filling) -> tuple[caffe_pb2.NetParameter, TestPass]:
    """A copy of the train_test net that reads this generation's data.

    Raises:
        NetError: the net has no Data layer for a phase, no classifying layer, or the pictures do not fit its crop.
    """
    result = caffe_pb2.NetParameter()
    result.CopyFrom(net)
    passes: TestPass | None = None
    phases: set[int] = set()
    for layer in result.layer:
        if layer.type != "Data":
            continue
        own = _phases(layer)
        phases |= own
        testing = own == {caffe_pb2.TEST}
        layer.data_param.source = facts.test_source if testing else facts.train_source
        layer.data_param.backend = caffe_pb2.DataParameter.LMDB
        if layer.transform_param.HasField("mean_file"):
            layer.transform_param.mean_file = facts.mean
        _check_crop(layer, facts.shape)
        if testing:
            passes = test_pass(facts.test_count, layer.data_param.batch_size or 100)
            layer.data_param.batch_size = passes.batch
    missing = [name for name in ("TRAIN", "TEST") if caffe_pb2.Phase.Value(name) not in phases]
    if missing or passes is None:
        raise NetError(
            f"net '{net.name}' has no Data layer of its own for phase {missing[0] if missing else 'TEST'}",
            hint="give the net one Data layer with include { phase: TRAIN } and one with include { phase: TEST }"
            + (f"; {found}" if (found := places(result)) else ""),
        )
    fill_outputs(result, facts.classes)
    return result, passes


def train_batch(net: caffe_pb2.NetParameter) -> int:
    """Pictures in one forward pass of training: the batch of the Data layer of phase TRAIN."""
    data = [layer for layer in net.layer if layer.type == "Data" and caffe_pb2.TRAIN in _phases(layer)]
    return max([1, *(layer.data_param.batch_size for layer in data)])


def fill_deploy(net: caffe_pb2.NetParameter, facts: Filling) -> caffe_pb2.NetParameter:
    """A copy of the deploy net with this generation's number of outputs.

    Raises:
        NetError: no classifying layer, or an input that is not of the pictures' shape.
    """
    result = caffe_pb2.NetParameter()
    result.CopyFrom(net)
    fill_outputs(result, facts.classes)
    channels, height, width = facts.shape
    for layer in result.layer:
        for shape in layer.input_param.shape if layer.type == "Input" else ():
            dims = tuple(shape.dim)
            if len(dims) != 4 or dims[1] != channels or dims[2] > height or dims[3] > width:
                raise NetError(
                    f"deploy net's input '{layer.name}' is {by(dims)}, but the pictures are {by((1, *facts.shape))}",
                    hint="make `preprocessing` in the settings and the net's input_param agree",
                    fault="M02",
                )
    return result


def fill_solver(
    solver: caffe_pb2.SolverParameter,
    *,
    net: str,
    prefix: str,
    passes: TestPass,
    max_iter: int | None = None,
    random_seed: int | None = None,
) -> caffe_pb2.SolverParameter:
    """A copy of the solver that trains `net` and snapshots under `prefix`, both relative to the project folder.

    `max_iter` and `random_seed` replace the solver's own where given. test_iter is filled in where test_interval
    asks for tests.

    Raises:
        NetError: the solver has separate train and test nets or several test passes, which have no one filling.
    """
    result = caffe_pb2.SolverParameter()
    result.CopyFrom(solver)
    others = {"train_net", "test_net", "train_net_param", "test_net_param", "net_param"}
    for field in sorted(others & {descriptor.name for descriptor, _ in solver.ListFields()}):
        raise NetError(f"solver gives {field}; expected one train_test net under `net`")
    result.net = net
    result.snapshot_prefix = prefix
    del result.test_iter[:]
    if result.test_interval > 0:
        result.test_iter.append(passes.batches)
    if max_iter is not None:
        result.max_iter = max_iter
    if random_seed is not None:
        result.random_seed = random_seed
    return result


def fill_outputs(net: caffe_pb2.NetParameter, classes: int) -> None:
    """Set num_output of the classifying layer, in place."""
    layer = classifying_layer(net)
    getattr(layer, _CLASSIFIERS[layer.type]).num_output = classes


def classifying_layer(net: caffe_pb2.NetParameter) -> caffe_pb2.LayerParameter:
    """The layer with parameters whose outputs are the classes: the last one below the softmax or the loss.

    Raises:
        NetError: there is none.
    """
    makers = {top: layer for layer in net.layer for top in layer.top if top not in layer.bottom}
    for head in net.layer:
        if head.type not in _HEADS or not head.bottom:
            continue
        layer = makers.get(head.bottom[0])
        while layer is not None and layer.type not in _CLASSIFIERS:
            direct = bool(layer.bottom) and layer.type not in _MIXING
            layer = makers.get(layer.bottom[0]) if direct else None
        if layer is not None:
            return layer
    raise NetError(
        f"net '{net.name}' has no classifying layer",
        hint=f"end it with an InnerProduct or Convolution under one of {', '.join(_HEADS)}",
    )


def _phases(layer: caffe_pb2.LayerParameter) -> set[int]:
    """TRAIN and TEST, or those that its `include` blocks name."""
    return {rule.phase for rule in layer.include if rule.HasField("phase")} or {caffe_pb2.TRAIN, caffe_pb2.TEST}


def _check_crop(layer: caffe_pb2.LayerParameter, shape: Sequence[int]) -> None:
    crop = layer.transform_param.crop_size
    if crop > min(shape[1:]):
        raise NetError(f"layer '{layer.name}': crop_size={crop}, but the pictures are {by(shape)}", fault="M02")
