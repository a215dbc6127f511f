from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from small_net import CLASSES

from workflow.models.loading import load
from workflow.models.packing import PackedModel, packed


def test_a_model_that_has_travelled_gives_the_same_answers(settings, trained, tmp_path):
    model = load(settings)
    travelled = msgspec.json.decode(msgspec.json.encode(packed(model, tmp_path)), type=PackedModel).unpacked()
    assert (travelled.name, travelled.classes, travelled.source) == (model.name, CLASSES, model.source)
    assert travelled.generation is None
    pixels = model.read(Path("images/test/cross/0.png"))[None]
    with model.open("numpy") as one, travelled.open("numpy") as other:
        expected = model.forward(one, pixels, {model.output})[model.output]
        np.testing.assert_array_equal(travelled.forward(other, pixels, {model.output})[model.output], expected)
