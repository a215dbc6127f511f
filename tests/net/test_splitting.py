"""Nets whose batch can be computed in parts, and those that are refused."""

from __future__ import annotations

import pytest

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse
from workflow.net.build import build
from workflow.net.splitting import check_rows

SOURCE = """
layer { name: "in" type: "DummyData" top: "x" top: "t" dummy_data_param { shape { dim: 6 dim: 4 } shape { dim: 6 } } }
"""
SHAPES = {"x": (6, 4), "t": (6,), "y": (6, 4), "z": (6, 4), "loss": ()}


def check(*layers: str, shapes: dict[str, tuple[int, ...]] | None = None) -> int:
    text = SOURCE + "".join(layers)
    spec = build(parse(text, caffe_pb2.NetParameter), phase="TRAIN")
    known = SHAPES | (shapes or {})
    found = {top: known[top.split("_in_")[0]] for layer in spec.layers for top in layer.tops}
    return check_rows(spec, found)


def layer(kind: str, settings: str = "", *, bottoms: tuple[str, ...] = ("x",), tops: tuple[str, ...] = ("y",)) -> str:
    names = "".join(f' bottom: "{one}"' for one in bottoms) + "".join(f' top: "{one}"' for one in tops)
    return f'layer {{ name: "the {kind}" type: "{kind}"{names} {settings} }}\n'


@pytest.mark.parametrize(
    "text",
    [
        layer("InnerProduct", "inner_product_param { num_output: 4 }"),
        layer("BatchNorm", "batch_norm_param { use_global_stats: true }"),
        layer("Reduction", "reduction_param { axis: 1 }"),
        layer("Softmax", "softmax_param { axis: -1 }"),
        layer("Scale", "scale_param { axis: 1 }"),
        layer("Scale", "scale_param { axis: 0 }", bottoms=("x", "t")),
        layer("Concat", bottoms=("x", "x")),
        layer("Permute", "permute_param { order: 0 order: 1 }"),
        layer("SoftmaxWithLoss", bottoms=("x", "t"), tops=("loss",)),
    ],
)
def test_layers_that_work_row_by_row(text):
    assert check(text) == 6


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (layer("BatchNorm"), "computes with the batch's own mean"),
        (layer("BatchReindex", bottoms=("x", "t")), "may use several rows at once"),
        (layer("Filter", bottoms=("x", "t")), "may use several rows at once"),
        (layer("Python", "python_param { module: 'm' layer: 'L' }"), "may use several rows at once"),
        (layer("Slice", "slice_param { axis: 0 }", tops=("y", "z")), "works along axis 0"),
        (layer("Slice", "slice_param { slice_dim: 0 }", tops=("y", "z")), "works along axis 0"),
        (layer("Concat", "concat_param { axis: -2 }", bottoms=("x", "x")), "works along axis 0"),
        (layer("Reduction"), "works along axis 0"),
        (layer("Scale", "scale_param { axis: 0 }"), "works along axis 0"),
        (layer("Scale", "scale_param { axis: 1 }", bottoms=("x", "t")), "works along axis 0"),
        (layer("Permute", "permute_param { order: 1 order: 0 }"), "moves axis 0"),
        (layer("Accuracy", bottoms=("x", "t"), tops=("loss", "y")), "counts the items of each class"),
    ],
)
def test_t20_layers_that_mix_rows_are_refused_by_name(text, reason):
    kind = text.partition('type: "')[2].partition('"')[0]
    with pytest.raises(NetError, match=rf"layer 'the {kind}' \({kind}\): its batch cannot be split.*{reason}") as found:
        check(text)
    assert found.value.fault == "T20"
    assert "--batch each" in found.value.hint


def test_t20_what_is_computed_from_a_loss_needs_the_whole_batch():
    loss = layer("EuclideanLoss", bottoms=("x", "x"), tops=("loss",))
    with pytest.raises(NetError, match="layer 'the Power' .* reads a number that belongs to the whole batch"):
        check(loss, layer("Power", bottoms=("loss",)))


def test_t20_sources_of_different_batches():
    with pytest.raises(NetError, match=r"different numbers of rows: 'x' 6, 't' 5"):
        check(shapes={"t": (5,)})
