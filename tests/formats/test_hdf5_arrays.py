from __future__ import annotations

import io
from contextlib import suppress

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.errors import DatabaseError, ModelError
from workflow.formats import blobproto, hdf5_arrays
from workflow.formats.matrix import read_matrix

A, B = np.arange(6, dtype="f").reshape(2, 3), np.array([4.5, 5.5], "f")


def test_there_and_back(tmp_path):
    hdf5_arrays.write(tmp_path / "x.h5", {"data": A, "label": B})
    assert hdf5_arrays.shapes(tmp_path / "x.h5", ["label", "data"]) == {"label": (2,), "data": (2, 3)}
    back = hdf5_arrays.read(tmp_path / "x.h5", ["data", "label"])
    np.testing.assert_array_equal(back["data"], A)
    np.testing.assert_array_equal(back["label"], B)


@pytest.mark.parametrize("kind", ["f2", "f8", "i1", "u8"])
def test_any_numbers_become_float32(tmp_path, kind):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = A.astype(kind)
    back = hdf5_arrays.read(tmp_path / "x.h5", ["data"])["data"]
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, A)


def test_numbers_that_lie_in_other_files_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(100))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("outside", (4,), "f", external=[(str(tmp_path / "secret"), 0, 16)])
        file["soft"] = h5py.SoftLink("/outside")
        file["number"] = 3.0
    with pytest.raises(DatabaseError, match="lies in other files"):
        hdf5_arrays.read(tmp_path / "x.h5", ["outside"])
    with pytest.raises(DatabaseError, match="no dataset 'soft'"):
        hdf5_arrays.read(tmp_path / "x.h5", ["soft"])
    with pytest.raises(DatabaseError, match="'number' is float64 of shape .., expected rows of numbers"):
        hdf5_arrays.read(tmp_path / "x.h5", ["number"])


def _valid() -> bytes:
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["data"] = A
    return memory.getvalue()


VALID = _valid()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_file_is_one_of_our_errors(tmp_path_factory, changes):
    damaged = bytearray(VALID)
    for place, value in changes:
        damaged[place] = value
    path = tmp_path_factory.mktemp("damaged") / "x.h5"
    path.write_bytes(damaged)
    with suppress(DatabaseError):
        assert hdf5_arrays.read(path, ["data"])["data"].dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_a_matrix_or_one_of_our_errors(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("matrix") / "H.binaryproto"
    path.write_bytes(data)
    with suppress(ModelError):
        assert read_matrix(path).dtype == np.float32


def test_a_matrix_keeps_its_shape(tmp_path):
    (tmp_path / "H").write_bytes(blobproto.from_array(A).SerializeToString())
    np.testing.assert_array_equal(read_matrix(tmp_path / "H"), A)
