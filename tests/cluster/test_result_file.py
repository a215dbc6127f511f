from __future__ import annotations

import numpy as np
import pytest

from workflow.cluster.result_file import read_result, write_result


def test_facts_and_arrays_come_back(tmp_path):
    arrays = {"pixels": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "empty": np.zeros((0, 5), np.float32)}
    arrays["every_other"] = np.arange(10.0)[::2]
    with (path := tmp_path / "part").open("wb") as out:
        write_result(out, {"skipped": [[1, "is empty"]]}, arrays)
    facts, found = read_result(path)
    assert facts == {"skipped": [[1, "is empty"]]}
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert list(read_result(path, without="pixels")[1]) == ["empty", "every_other"]
    assert path.read_bytes()[:24] == arrays["pixels"].tobytes()


def test_a_file_that_is_cut_is_told(tmp_path):
    with (path := tmp_path / "part").open("wb") as out:
        write_result(out, {}, {"numbers": np.arange(100)})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises((ValueError, OSError)):
        read_result(path)
