"""The classifying layer for other classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import ModelError
from workflow.formats import blobproto, caffe_pb2
from workflow.net.growth import grow, plan

NAMES = ("cat", "dog", "owl", "fox", "bee")
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)


def weights(classes: int, *, legacy: bool = False, transposed: bool = False) -> caffe_pb2.NetParameter:
    """conv and ip; row k of ip is 10 k + 1, 10 k + 2 and so on, its bias k + 0.5."""
    net = caffe_pb2.NetParameter(name="net")
    conv = net.layer.add(name="conv", type="Convolution")
    conv.blobs.append(blobproto.from_array(np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1)))
    rows = (10 * np.arange(classes)[:, None] + np.arange(1, 4)).astype(np.float32)
    ip = net.layer.add(name="ip", type="InnerProduct")
    ip.inner_product_param.num_output = classes
    ip.blobs.append(blobproto.from_array(rows.T if transposed else rows, legacy=legacy))
    ip.blobs.append(blobproto.from_array(np.arange(classes, dtype=np.float32) + 0.5, legacy=legacy))
    return net


def filled(classes: int) -> list[np.ndarray]:
    return [np.full((classes, 3), -1, np.float32), np.full(classes, -2, np.float32)]


def blobs(net: caffe_pb2.NetParameter) -> list[np.ndarray]:
    return [blobproto.to_array(blob) for blob in net.layer[1].blobs]


@given(names, names, st.booleans())
def test_rows_follow_their_names(before: list[str], after: list[str], legacy: bool) -> None:
    old = weights(len(before), legacy=legacy)
    grown = grow(old, "ip", before=before, after=after, filled=filled(len(after)))
    weight, bias = blobs(grown)
    assert weight.shape == (len(after), 3)
    assert bias.shape == (len(after),)
    for place, name in enumerate(after):
        known = name in before
        k = before.index(name) if known else 0
        assert weight[place].tolist() == ([10 * k + 1, 10 * k + 2, 10 * k + 3] if known else [-1, -1, -1])
        assert bias[place] == (k + 0.5 if known else -2)
    assert grown.layer[0] == old.layer[0]
    assert grown.layer[1].inner_product_param.num_output == len(after)
    told = plan("ip", before, after)
    assert set(told.kept) | set(told.new) == set(after)
    assert set(told.kept) | set(told.dropped) == set(before)


@given(names, names)
def test_growing_back_and_forth_keeps_what_both_know(before: list[str], after: list[str]) -> None:
    grown = grow(weights(len(before)), "ip", before=before, after=after, filled=filled(len(after)))
    back = blobs(grow(grown, "ip", before=after, after=before, filled=filled(len(before))))[0]
    for place, name in enumerate(before):
        assert back[place, 0] == (10 * place + 1 if name in after else -1)


def test_a_transposed_weight_has_columns() -> None:
    fresh = filled(3)
    grown = grow(
        weights(2, transposed=True), "ip", before=("cat", "dog"), after=("dog", "owl", "cat"),
        filled=[fresh[0].T, fresh[1]], transposed=True,
    )  # fmt: skip
    assert blobs(grown)[0].tolist() == [[11, -1, 1], [12, -1, 2], [13, -1, 3]]


def test_what_does_not_fit_is_refused() -> None:
    wide = [np.zeros((2, 4), np.float32), np.zeros(2, np.float32)]
    with pytest.raises(ModelError, match=r"a row of the file is \(3,\), of the net \(4,\)"):
        grow(weights(2), "ip", before=("cat", "dog"), after=("cat", "owl"), filled=wide)
    with pytest.raises(ModelError, match="has 2 rows for 3 classes"):
        grow(weights(2), "ip", before=("cat", "dog", "owl"), after=("cat",), filled=filled(1))
    with pytest.raises(ModelError, match="file has 2 blobs, net has 1"):
        grow(weights(2), "ip", before=("cat", "dog"), after=("cat",), filled=filled(1)[:1])


def test_the_line_for_people() -> None:
    told = plan("ip1", ("cat", "dog"), ("dog", "cat", "owl"))
    assert told.words == "layer 'ip1': kept 'dog', 'cat', new 'owl'"
    assert plan("ip1", ("cat", "dog"), ("cat",)).words == "layer 'ip1': kept 'cat', dropped 'dog'"
    assert plan("ip1", [f"c{n}" for n in range(11)], ["c1"]).words.endswith("'c8' and 2 more")
