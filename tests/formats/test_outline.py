from __future__ import annotations

import math

import pytest

from workflow.errors import PrototxtError
from workflow.formats import caffe_pb2
from workflow.formats.outline import OutlineError, join_signs, line_and_column, outline
from workflow.formats.prototxt import parse


def test_every_field_with_its_path_place_and_value():
    text = "name: 'n' # {\nlayer { top: [\"a\", 'b'] phase: TEST }\nlayer <\n  loss_weight: -1e-3 >"
    assert [(entry.path, line_and_column(text, entry.offset), entry.value) for entry in outline(text)] == [
        (("name", 0), (1, 1), "n"),
        (("layer", 0), (2, 1), None),
        (("layer", 0, "top", 0), (2, 9), "a"),
        (("layer", 0, "top", 1), (2, 9), "b"),
        (("layer", 0, "phase", 0), (2, 25), "TEST"),
        (("layer", 1), (3, 1), None),
        (("layer", 1, "loss_weight", 0), (4, 3), "-1e-3"),
    ]


def test_a_list_of_blocks_counts_each():
    paths = [entry.path for entry in outline("include: [{phase: TRAIN}, {}] name: 'x'")]
    assert paths == [("include", 0), ("include", 0, "phase", 0), ("include", 1), ("name", 0)]


def test_brackets_in_strings_and_comments_do_not_count():
    assert [entry.value for entry in outline('a: \'{\' b: "}\\"{" # {{{\n')] == ["{", '}\\"{']


def test_a_hundred_levels_pass_and_one_more_does_not():
    outline("a {" * 100 + "}" * 100)
    with pytest.raises(OutlineError, match="deeper than 100") as caught:
        outline("a {" * 101 + "}" * 101)
    assert caught.value.offset == 302


@pytest.mark.parametrize("escape", [r"\n", r"\\", r"\"", r"\303\251", r"\x41", r"\7", r"\u00e9"])
def test_escapes_that_every_caffe_knows(escape):
    assert outline(f'a: "{escape}"')


@pytest.mark.parametrize("escape", [r"\q", r"\8", r"\400", r"\x", r"\xg", r"\u12"])
def test_escapes_that_mean_nothing(escape):
    with pytest.raises(OutlineError, match="backslash"):
        outline(f'a: "{escape}"')


@pytest.mark.parametrize(
    ("written", "value"),
    [("- 0.5", -0.5), ("-\n0.5", -0.5), ("- # why\n .5", -0.5), ("-\tinf", -math.inf), ("-0.5", -0.5)],
)
def test_a_blank_behind_the_sign(written, value):
    """As real Caffe's parser has it, which takes the sign for a token of its own."""
    text = f'name: "a - 1" # - 1\nmean_value: [{written}, 2] '
    found = parse(text.split("\n", 1)[1] + "scale: 3", caffe_pb2.TransformationParameter)
    assert (found.mean_value[0], found.scale) == (value, 3)
    assert join_signs(text).split("\n")[0] == text.split("\n")[0]
    assert join_signs(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("written", ["+0.5", "- -1", "+ 1"])
def test_signs_that_caffe_does_not_take(written):
    with pytest.raises(PrototxtError):
        parse(f"scale: {written}", caffe_pb2.TransformationParameter)
