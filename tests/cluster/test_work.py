from __future__ import annotations

import pytest
from squares import Squares

from workflow.cluster.work import packed, unpacked
from workflow.config import Preprocessing
from workflow.data.decoding import Decoding


def test_a_work_travels_as_its_name_and_json():
    one = Decoding(preprocessing=Preprocessing(width=5), max_pixels=7)
    name, settings = packed(one)
    assert name == "data.decoding"
    assert unpacked(name, settings) == one
    assert packed(Squares(log="x")) == ("cluster.squares", b'{"log":"x","start":""}')


def test_a_name_that_is_none_imports_nothing():
    with pytest.raises(ValueError, match="no name of a work"):
        unpacked("os;path", b"{}")
    with pytest.raises(ModuleNotFoundError):
        unpacked("no.such", b"{}")
