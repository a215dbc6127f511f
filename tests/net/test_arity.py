from __future__ import annotations

import pytest

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.arity import check_arity
from workflow.net.spec import LayerSpec


@pytest.mark.parametrize(
    ("bottoms", "words"), [((1, 1), "expected 1$"), ((3, None), "expected at least 3"), ((3, 4), "expected 3 to 4")]
)
def test_what_was_got_and_expected(bottoms, words):
    spec = LayerSpec(name="e", type="Eltwise", bottoms=("a", "b"), tops=("y",), message=caffe_pb2.LayerParameter())
    with pytest.raises(NetError, match="layer 'e' .Eltwise.: 2 bottoms, " + words):
        check_arity(spec, bottoms, (1, 1))
    check_arity(spec, (2, None), (1, 1))
