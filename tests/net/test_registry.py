from __future__ import annotations

import pytest

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.registry import Registry
from workflow.net.spec import LayerSpec


def registry(bottoms=1, tops=1):
    made = Registry[object]("steam", "--engine water may know it")

    @made.layer("Eltwise", bottoms=bottoms, tops=tops)
    class Eltwise:
        pass

    return made, Eltwise


def spec(kind="Eltwise"):
    return LayerSpec(name="e", type=kind, bottoms=("a", "b"), tops=("y",), message=caffe_pb2.LayerParameter())


@pytest.mark.parametrize("bottoms", [2, (2, None), (1, 2)])
def test_the_class_of_a_type(bottoms):
    made, cls = registry(bottoms)
    assert made.find(spec()) is cls
    assert made.types() == ["Eltwise"]


@pytest.mark.parametrize(
    ("bottoms", "words"), [(1, "expected 1$"), ((3, None), "expected at least 3"), ((3, 4), "expected 3 to 4")]
)
def test_numbers_of_bottoms_and_tops(bottoms, words):
    with pytest.raises(NetError, match="layer 'e' .Eltwise.: 2 bottoms, " + words):
        registry(bottoms)[0].find(spec())
    with pytest.raises(NetError, match="layer 'e' .Eltwise.: 1 tops, expected 2"):
        registry(2, tops=2)[0].find(spec())


def test_an_unknown_type_is_told_what_is_known_and_what_else_may_know_it():
    with pytest.raises(NetError, match="type 'Eltwize' is not known to the steam engine; known: Eltwise") as caught:
        registry()[0].find(spec("Eltwize"))
    assert caught.value.hint == "did you mean 'Eltwise'? --engine water may know it"


def test_a_type_has_one_class():
    made, cls = registry()
    with pytest.raises(ValueError, match="Eltwise is registered twice"):
        made.layer("Eltwise", bottoms=1, tops=1)(cls)
