from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import ModelError
from workflow.formats.foreign import refuse_foreign


@pytest.mark.parametrize("data", [b"<!DOCTYPE html>", b"# a prototxt", b"\n layer {", b'name: "x"', b'input: "a"'])
def test_text(data):
    with pytest.raises(ModelError, match="is text"):
        refuse_foreign(Path("m.caffemodel"), data)


def test_a_model_passes(model):
    refuse_foreign(Path("m.caffemodel"), model.SerializeToString())
