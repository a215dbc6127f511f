from __future__ import annotations

from zipfile import BadZipFile

import numpy as np
import pytest

from workflow.data.array_file import map_arrays, write_arrays

ARRAYS = {
    "bytes": np.frombuffer(b"some bytes", np.uint8),
    "large": np.arange(3_000_000, dtype=np.int64).reshape(-1, 2),
    "none": np.empty((0, 32), np.uint8),
    "flags": np.array([True, False]),
}


def test_arrays_come_back_and_numpy_reads_them(tmp_path):
    write_arrays(path := tmp_path / "arrays.npz", ARRAYS)
    mapped = map_arrays(path)
    assert list(mapped) == list(ARRAYS)
    with np.load(path) as loaded:
        for name, array in ARRAYS.items():
            for found in (mapped[name], loaded[name]):
                assert found.dtype == array.dtype
                np.testing.assert_array_equal(found, array)
    with pytest.raises(ValueError, match="read-only"):
        mapped["large"][0] = 1


def test_a_file_of_numpy_is_mapped_and_a_compressed_one_refused(tmp_path):
    np.savez(tmp_path / "plain.npz", **ARRAYS)
    np.testing.assert_array_equal(map_arrays(tmp_path / "plain.npz")["large"], ARRAYS["large"])
    np.savez_compressed(tmp_path / "packed.npz", **ARRAYS)
    with pytest.raises(ValueError, match="by another program"):
        map_arrays(tmp_path / "packed.npz")


@pytest.mark.parametrize("place", [0, 200, 20_000, -30])
def test_damage_is_noticed(tmp_path, place):
    write_arrays(path := tmp_path / "arrays.npz", ARRAYS)
    data = bytearray(path.read_bytes())
    data[place] ^= 255
    path.write_bytes(data)
    with pytest.raises((ValueError, BadZipFile, KeyError, NotImplementedError)):
        map_arrays(path)
