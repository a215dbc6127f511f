"""What hosts must have in common."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.engines.ranks import alike
from workflow.errors import EnvironmentFault
from workflow.formats import caffe_pb2, datum
from workflow.formats.lmdb import Writer
from workflow.formats.prototxt import parse

NET = """
layer { name: "a" type: "Data" top: "a" include { phase: TRAIN }
  transform_param { mean_file: "mean" } data_param { source: "lmdb" backend: LMDB } }
layer { name: "b" type: "Data" top: "b" include { phase: TEST } data_param { source: "not here" backend: LMDB } }
"""


def make(folder, last: int) -> dict[str, str]:
    folder.mkdir()
    with Writer(folder / "lmdb") as writer:
        for place, number in enumerate((1, 2, last)):
            writer.put(b"%08d" % place, datum.encode(np.full((1, 2, 2), number, np.uint8), 0))
    (folder / "mean").write_bytes(b"mean")
    return alike.data(parse(NET, caffe_pb2.NetParameter), folder)


def test_data_are_compared_by_what_they_hold(tmp_path):
    one, same, other = (make(tmp_path / name, last) for name, last in (("one", 3), ("same", 3), ("other", 4)))
    assert set(one) == {"lmdb", "mean"}
    alike.check_data("a", one, "b", same)
    with pytest.raises(EnvironmentFault, match="lmdb differs between a and b") as found:
        alike.check_data("a", one, "b", other)
    assert found.value.fault == "T24"


def test_t24_both_versions_are_named():
    ours = alike.versions()
    assert set(ours) == {"wf", "Python", "PyTorch"}
    with pytest.raises(EnvironmentFault, match=rf"10\.0\.0\.1 has wf {ours['wf']}, 10\.0\.0\.2 has wf 0\.0\.1"):
        alike.check_versions("10.0.0.1", ours, "10.0.0.2", ours | {"wf": "0.0.1"})
