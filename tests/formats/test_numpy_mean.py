from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from workflow.errors import ModelError
from workflow.formats.binaryproto import write_mean
from workflow.formats.numpy_mean import read_any_mean

MEAN = np.random.default_rng(1).uniform(80, 130, (3, 7, 5))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint8, ">f8"])
def test_npy_of_any_number(tmp_path, dtype):
    np.save(tmp_path / "mean.npy", MEAN.astype(dtype))
    mean = read_any_mean(tmp_path / "mean.npy")
    assert mean.dtype == np.float32
    assert mean.flags.c_contiguous
    np.testing.assert_array_equal(mean, MEAN.astype(dtype).astype(np.float32))


@pytest.mark.parametrize(
    ("stored", "shape"),
    [(MEAN[None], (3, 7, 5)), (MEAN[0], (1, 7, 5)), (MEAN.mean((1, 2)), (3, 1, 1)), (MEAN[:, :1, :1], (3, 1, 1))],
)
def test_shapes(tmp_path, stored, shape):
    np.save(tmp_path / "mean.npy", stored)
    mean = read_any_mean(tmp_path / "mean.npy")
    assert mean.shape == shape
    np.testing.assert_array_equal(mean.ravel(), stored.astype(np.float32).ravel())


def test_npz_with_one_array_plain_or_compressed(tmp_path):
    np.savez(tmp_path / "plain.npz", MEAN)
    np.savez_compressed(tmp_path / "small.npz", mean=MEAN)
    for name in ("plain.npz", "small.npz"):
        np.testing.assert_array_equal(read_any_mean(tmp_path / name), MEAN.astype(np.float32))


def test_a_binaryproto_is_read_by_its_content(tmp_path):
    write_mean(tmp_path / "mean.npy", MEAN)
    np.testing.assert_array_equal(read_any_mean(tmp_path / "mean.npy"), MEAN.astype(np.float32))


def test_channels_last_is_refused_with_the_way_out(tmp_path):
    np.save(tmp_path / "mean.npy", MEAN.transpose(1, 2, 0))
    with pytest.raises(ModelError, match=r"has shape \(7, 5, 3\), expected \(channels, height, width\)") as caught:
        read_any_mean(tmp_path / "mean.npy")
    assert "transpose(2, 0, 1)" in caught.value.hint


@pytest.mark.parametrize("shape", [(2, 3, 7, 5), (3, 0, 5), (1, 1, 3, 7, 5)])
def test_other_shapes(tmp_path, shape):
    np.save(tmp_path / "mean.npy", np.ones(shape))
    with pytest.raises(ModelError, match="expected"):
        read_any_mean(tmp_path / "mean.npy")


def test_what_is_no_number(tmp_path):
    np.save(tmp_path / "mean.npy", np.array(["a", "b", "c"]))
    with pytest.raises(ModelError, match="holds <U1 values, expected numbers"):
        read_any_mean(tmp_path / "mean.npy")
    np.save(tmp_path / "mean.npy", np.full((3, 7, 5), np.nan))
    with pytest.raises(ModelError, match="has 105 NaN values") as caught:
        read_any_mean(tmp_path / "mean.npy")
    assert caught.value.fault == "M03"


def test_python_objects_are_never_opened(tmp_path):
    np.save(tmp_path / "mean.npy", np.array([{}, {}, {}]), allow_pickle=True)
    with pytest.raises(ModelError, match="a pickle can run code") as caught:
        read_any_mean(tmp_path / "mean.npy")
    assert caught.value.fault == "C04"


def test_several_arrays(tmp_path):
    np.savez(tmp_path / "mean.npz", mean=MEAN, std=MEAN)
    with pytest.raises(ModelError, match=r"holds 2 arrays \(mean, std\), expected one"):
        read_any_mean(tmp_path / "mean.npz")


@pytest.mark.parametrize("end", [100, 300])
def test_damage(tmp_path, end):
    np.savez_compressed(tmp_path / "mean.npz", MEAN)
    np.save(tmp_path / "mean.npy", MEAN)
    for name in ("mean.npy", "mean.npz"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[:end] if name == "mean.npy" else data[:end] + b"\xff" * 9 + data[end + 9 :])
        with pytest.raises(ModelError, match="mean.np"):
            read_any_mean(tmp_path / name)


def test_a_header_that_promises_more_than_there_is(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (3, 10**9, 10**9)})
    (tmp_path / "mean.npy").write_bytes(buffer.getvalue())
    with pytest.raises(ModelError, match="truncated or damaged"):
        read_any_mean(tmp_path / "mean.npy")


def test_an_archive_that_grows_when_unpacked(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "mean.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("mean.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(257):
            member.write(bytes(2**20))
    with pytest.raises(ModelError, match="expected 268435456 at most"):
        read_any_mean(tmp_path / "mean.npz")


def test_a_header_of_python_2(tmp_path):
    """Its sizes may be long integers, as in files of 2014."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 7L, 5L), }"
    header += b" " * (-(len(header) + 11) % 16) + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "mean.npy").write_bytes(start + header + MEAN.astype("<f8").tobytes())
    np.testing.assert_array_equal(read_any_mean(tmp_path / "mean.npy"), MEAN.astype(np.float32))


def test_a_header_that_is_no_python(tmp_path):
    np.save(tmp_path / "mean.npy", MEAN)
    data = (tmp_path / "mean.npy").read_bytes()
    (tmp_path / "mean.npy").write_bytes(data.replace(b"}", b"("))
    with pytest.raises(ModelError, match="truncated or damaged"):
        read_any_mean(tmp_path / "mean.npy")
