from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import diff_to_array, from_array, matches, shape_of, to_array, varint, widen

shapes = st.lists(st.integers(0, 4), max_size=5).map(tuple)


@given(arrays.arrays(np.float32, shapes))
def test_round_trip_of_any_shape(array):
    blob = caffe_pb2.BlobProto.FromString(from_array(array).SerializeToString())
    assert shape_of(blob) == array.shape
    assert to_array(blob).tobytes() == array.tobytes()


def test_a_scalar_has_no_shape_field():
    blob = from_array(np.array(2.5))
    assert not blob.HasField("shape")
    assert to_array(blob).shape == ()


def test_arrays_that_are_no_row_of_floats_in_memory():
    array = np.arange(24, dtype=np.float64).reshape(2, 3, 4).transpose(2, 0, 1)[::2]
    np.testing.assert_array_equal(to_array(from_array(array)), array.astype(np.float32))


def test_legacy_shapes_are_padded_in_front():
    blob = from_array(np.ones((3, 7, 5)), legacy=True)
    assert (blob.num, blob.channels, blob.height, blob.width) == (1, 3, 7, 5)
    assert not blob.HasField("shape")
    with pytest.raises(ValueError, match="at most 4 axes"):
        from_array(np.ones((1, 1, 1, 1, 1)), legacy=True)


def test_any_legacy_field_hides_the_shape():
    blob = caffe_pb2.BlobProto(width=6, num=1, channels=1, height=1, data=[0] * 6)
    blob.shape.dim.extend([2, 3])
    assert to_array(blob).shape == (1, 1, 1, 6)


def test_doubles_win_over_floats():
    blob = caffe_pb2.BlobProto(data=[1, 2], double_data=[3, 1e300])
    blob.shape.dim.extend([2])
    np.testing.assert_array_equal(to_array(blob), [3, np.inf])


def test_the_arrays_are_the_callers_own():
    blob = from_array(np.zeros(3))
    to_array(blob)[:] = 1
    assert not any(blob.data)


def test_gradients():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert diff_to_array(from_array(array)) is None
    np.testing.assert_array_equal(diff_to_array(from_array(array, diff=-array)), -array)
    with pytest.raises(ValueError, match="diff has shape"):
        from_array(array, diff=array.T)
    blob = from_array(array)
    blob.diff.extend([1, 2])
    with pytest.raises(ModelError, match="holds 2 differences, expected 6"):
        diff_to_array(blob)


@pytest.mark.parametrize(
    ("dims", "count"), [([2, 3], 5), ([], 2), ([0], 1), ([-1, -2], 2), ([2**40, 2**40], 4), ([3], 0)]
)
def test_values_that_do_not_fill_the_shape(dims, count):
    blob = caffe_pb2.BlobProto(data=[0] * count)
    blob.shape.dim.extend(dims)
    with pytest.raises(ModelError, match=f"holds {count} values"):
        to_array(blob)


@pytest.mark.parametrize(
    ("stored", "target", "fits"),
    [
        ((1, 1, 4, 3), (4, 3), True),
        ((1, 1, 1, 4), (4,), True),
        ((2, 3, 7, 5), (2, 3, 7, 5), True),
        ((4, 3, 1, 1), (4, 3), False),
        ((1, 1, 3, 4), (4, 3), False),
        ((1, 1, 1, 1), (), True),
        ((1, 1, 1, 4), (1, 1, 1, 1, 4), False),
    ],
)
def test_legacy_blobs_fit_what_equals_them_with_ones_in_front(stored, target, fits):
    assert matches(from_array(np.ones(stored), legacy=True), target) is fits


def test_blobs_with_a_shape_fit_that_shape_alone():
    assert matches(from_array(np.ones((4, 3))), (4, 3))
    assert not matches(from_array(np.ones((1, 1, 4, 3))), (4, 3))


@given(st.integers(-(2**31), 2**31 - 1))
def test_varint_is_protobufs(number):
    assert b"\x28" + varint(number) == caffe_pb2.Datum(label=number).SerializeToString()


VALUES = np.array([[0.5, -2.0, 65504.0], [1e-7, np.inf, -0.0]], np.float16)


@pytest.mark.parametrize(("kind", "dtype"), [("DOUBLE", "<f8"), ("FLOAT", "<f4"), ("FLOAT16", "<f2")])
def test_raw_values_of_nvidias_fork(kind, dtype):
    blob = caffe_pb2.BlobProto(raw_data_type=kind, raw_data=VALUES.astype(dtype).tobytes())
    blob.raw_diff_type, blob.raw_diff = caffe_pb2.BlobProto.FLOAT16, (-VALUES).tobytes()
    blob.shape.dim.extend(VALUES.shape)
    widen(blob)
    np.testing.assert_array_equal(to_array(blob), VALUES.astype(np.float32))
    np.testing.assert_array_equal(diff_to_array(blob), -VALUES.astype(np.float32))
    assert {field.name for field, _ in blob.ListFields()} == {"shape", "data", "diff"}


def half_blob(bits, number=10):
    """Half floats as other forks write them: packed integers in a field that BlobProto does not have."""
    packed = b"".join(map(varint, bits))
    return caffe_pb2.BlobProto.FromString(varint(number << 3 | 2) + varint(len(packed)) + packed)


def test_half_floats_as_packed_integers():
    bits = VALUES.view(np.uint16).ravel().tolist()
    blob = half_blob(bits)
    blob.MergeFromString(half_blob(bits[::-1], 11).SerializeToString())
    blob.shape.dim.extend(VALUES.shape)
    widen(blob)
    np.testing.assert_array_equal(to_array(blob), VALUES.astype(np.float32))
    np.testing.assert_array_equal(diff_to_array(blob).ravel(), VALUES.astype(np.float32).ravel()[::-1])
    assert caffe_pb2.BlobProto.FromString(blob.SerializeToString()) == blob


def test_plain_values_count_where_there_are_both():
    blob = caffe_pb2.BlobProto(data=[1, 2], raw_data_type="FLOAT16", raw_data=b"1234")
    widen(blob)
    assert list(blob.data) == [1, 2]
    assert not blob.raw_data


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (caffe_pb2.BlobProto(raw_data_type="INT", raw_data=b"1234"), "raw type INT, expected whole numbers of DOUBLE"),
        (caffe_pb2.BlobProto(raw_data_type="FLOAT16", raw_data=b"123"), "3 bytes of raw type FLOAT16"),
        (half_blob([70000]), "half floats that are not packed 16-bit integers"),
        (half_blob([2**40]), "half floats that are not packed 16-bit integers"),
        (caffe_pb2.BlobProto.FromString(b"\x52\x02\x01\x80"), "half floats that are not packed 16-bit integers"),
    ],
)
def test_raw_values_that_are_none(blob, words):
    with pytest.raises(ModelError, match=words):
        widen(blob)
