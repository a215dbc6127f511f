from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.binaryproto import read_mean, write_mean
from workflow.formats.blobproto import from_array

MEAN = np.arange(3 * 7 * 5, dtype=np.float32).reshape(3, 7, 5) / 7


def test_round_trip_as_compute_image_mean_writes_it(tmp_path):
    write_mean(tmp_path / "mean.binaryproto", MEAN.astype(np.float64))
    np.testing.assert_array_equal(read_mean(tmp_path / "mean.binaryproto"), MEAN)
    blob = caffe_pb2.BlobProto.FromString((tmp_path / "mean.binaryproto").read_bytes())
    assert (blob.num, blob.channels, blob.height, blob.width, blob.HasField("shape")) == (1, 3, 7, 5, False)


def test_four_axes_of_today_are_accepted(text_file):
    data = from_array(MEAN[np.newaxis]).SerializeToString()
    np.testing.assert_array_equal(read_mean(text_file("mean.binaryproto", data)), MEAN)


@pytest.mark.parametrize("shape", [(3, 7, 5), (2, 3, 7, 5), (105,), (1, 3, 0, 5)])
def test_m01_other_shapes_are_refused_as_caffe_does(text_file, shape):
    data = from_array(np.ones(shape)).SerializeToString()
    with pytest.raises(ModelError, match=r"expected \(1, channels, height, width\)") as caught:
        read_mean(text_file("mean.binaryproto", data))
    assert caught.value.fault == "M01"


def test_m01_missing_or_zero_bytes(tmp_path, text_file):
    with pytest.raises(ModelError, match="mean.binaryproto is empty"):
        read_mean(text_file("mean.binaryproto", b""))
    with pytest.raises(ModelError, match="does not exist") as caught:
        read_mean(tmp_path / "none.binaryproto")
    assert (caught.value.fault, caught.value.exit_code) == ("M01", 3)


def test_m01_truncated(tmp_path, text_file):
    write_mean(tmp_path / "mean.binaryproto", MEAN)
    data = (tmp_path / "mean.binaryproto").read_bytes()
    with pytest.raises(ModelError, match="truncated or damaged"):
        read_mean(text_file("cut.binaryproto", data[:-3]))


def test_m03_values_that_are_not_finite(tmp_path, text_file):
    bad = MEAN.copy()
    bad[1, 2, :4] = np.nan
    with pytest.raises(ModelError, match="mean.binaryproto has 4 NaN values") as caught:
        read_mean(text_file("mean.binaryproto", from_array(bad, legacy=True).SerializeToString()))
    assert caught.value.fault == "M03"
    bad[1, 2, :4] = [np.inf, 0, 0, 0]
    with pytest.raises(ModelError, match="has 1 infinite value\n"):
        write_mean(tmp_path / "new.binaryproto", bad)
    assert not (tmp_path / "new.binaryproto").exists()


def test_m03_an_all_zero_mean_is_warned_of(tmp_path, caplog):
    write_mean(tmp_path / "mean.binaryproto", np.zeros((3, 7, 5)))
    caplog.clear()
    assert not read_mean(tmp_path / "mean.binaryproto").any()
    assert "is all zero" in caplog.text


@pytest.mark.parametrize("shape", [(7, 5), (1, 3, 7, 5), (3, 0, 5)])
def test_only_a_picture_is_written(tmp_path, shape):
    with pytest.raises(ValueError, match="channels, height, width"):
        write_mean(tmp_path / "mean.binaryproto", np.ones(shape))


def test_real_means(shared_data):
    for path in shared_data.glob("models/*/mean.binaryproto"):
        mean = read_mean(path)
        assert mean.shape == (3, 32, 32)
        np.testing.assert_allclose(mean.mean(axis=(1, 2)), [125.3, 122.95, 113.9], atol=0.1)  # CIFAR-10's, RGB
