from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from workflow.errors import DatabaseError
from workflow.formats import caffe_pb2
from workflow.formats.datum import decode, decode_all, encode

PIXELS = np.arange(3 * 7 * 5, dtype=np.uint8).reshape(3, 7, 5)

pictures = arrays.arrays(np.uint8, st.tuples(*[st.integers(1, 9)] * 3))
labels = st.integers(-(2**31), 2**31 - 1)


@given(pictures, labels)
def test_encoding_is_protobufs_own_with_fields_1_to_5_and_7(array, label):
    datum = caffe_pb2.Datum(data=array.tobytes(), label=label, encoded=False)
    datum.channels, datum.height, datum.width = array.shape
    assert encode(array, label) == datum.SerializeToString()


@given(pictures, labels)
def test_round_trip(array, label):
    got, number = decode(encode(array, label))
    np.testing.assert_array_equal(got, array)
    assert (got.dtype, number) == (np.uint8, label)


def test_arrays_in_any_memory_order():
    array = PIXELS.transpose(1, 2, 0)  # (7, 5, 3) seen through strides
    np.testing.assert_array_equal(decode(encode(array, 1))[0], array)


@pytest.mark.parametrize("array", [PIXELS.astype(np.float32), PIXELS[0], PIXELS[:0]])
def test_only_pictures_are_encoded(array):
    with pytest.raises(ValueError, match="a Datum holds uint8"):
        encode(array, 0)


@pytest.mark.parametrize("label", [2**31, -(2**31) - 1])
def test_labels_have_32_bits(label):
    with pytest.raises(ValueError, match="32-bit"):
        encode(PIXELS, label)


def test_floats_as_extract_features_writes_them():
    datum = caffe_pb2.Datum(channels=4, height=1, width=1, float_data=[1.5, -2, 3, 0.1], label=3)
    got, label = decode(datum.SerializeToString())
    assert (got.shape, got.dtype, label) == ((4, 1, 1), np.float32, 3)
    np.testing.assert_array_equal(got.ravel(), np.array([1.5, -2, 3, 0.1], np.float32))


def test_bytes_win_over_floats():
    datum = caffe_pb2.Datum(channels=1, height=1, width=2, data=b"\x01\x02", float_data=[7, 8])
    assert decode(datum.SerializeToString())[0].tolist() == [[[1, 2]]]


def test_encoded_pictures_need_no_sizes():
    buffer = io.BytesIO()
    Image.fromarray(PIXELS.transpose(1, 2, 0)).save(buffer, "PNG")
    got, label = decode(caffe_pb2.Datum(data=buffer.getvalue(), label=5, encoded=True).SerializeToString())
    np.testing.assert_array_equal(got, PIXELS[::-1])  # RGB -> BGR
    assert label == 5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"\x22\xff", "is not a Datum, or is truncated"),
        (b"", "holds 0 values"),
        (encode(PIXELS, 1)[:40], "is not a Datum, or is truncated"),
        (caffe_pb2.Datum(channels=3, height=7, width=6, data=bytes(105)).SerializeToString(), "holds 105 values"),
        (caffe_pb2.Datum(channels=-3, height=-7, width=5, data=bytes(105)).SerializeToString(), "its shape is"),
        (caffe_pb2.Datum(data=b"GIF89a", encoded=True).SerializeToString(), "a picture that cannot be decoded"),
    ],
)
def test_l05_undecodable_records_are_named(value, message):
    with pytest.raises(DatabaseError, match=f"record 00000042_a.png .*{message}") as caught:
        decode(value, key=b"00000042_a.png")
    assert (caught.value.fault, caught.value.exit_code) == ("L05", 3)


@given(st.lists(st.tuples(arrays.arrays(np.uint8, (2, 3, 2)), st.integers(0, 300)), min_size=1, max_size=5))
def test_a_batch_is_what_its_records_are(records):
    got, numbers = decode_all([encode(array, label) for array, label in records])
    np.testing.assert_array_equal(got, np.stack([array for array, _ in records]))
    assert numbers.tolist() == [label for _, label in records]


def test_a_batch_of_mixed_forms():
    old = encode(PIXELS, 3)[:-2]  # without field 7, as convert_imageset wrote before 2014
    got, numbers = decode_all([encode(PIXELS, 1), old, encode(PIXELS, -1)])
    assert (got.shape, numbers.tolist()) == ((3, 3, 7, 5), [1, 3, -1])


def test_records_of_equal_length_and_other_fields_are_told_apart():
    """Same size, but height and width are swapped in the second."""
    values = [encode(PIXELS, 1), encode(PIXELS.reshape(3, 5, 7), 1)]
    with pytest.raises(DatabaseError, match=r"record b is uint8 \(3, 5, 7\), the first one uint8 \(3, 7, 5\)"):
        decode_all(values, keys=[b"a", b"b"])


def test_l05_a_bad_record_in_a_batch_is_named():
    with pytest.raises(DatabaseError, match="record b is not a Datum"):
        decode_all([encode(PIXELS, 1), b"\xff"], keys=[b"a", b"b"])
