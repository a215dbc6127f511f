"""Pictures and messages of `caffe.io` beyond those that the scripts use."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from workflow import pycaffe
from workflow.errors import DataError

PIXELS = np.random.default_rng(1).integers(0, 256, (6, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["face.pgm", "face.ppm", "field.tif", "one.png", "one.bmp"])
def test_formats_of_old_sets(name, project):
    pixels = PIXELS[..., 0] if name.endswith("pgm") else PIXELS
    Image.fromarray(pixels).save(name)
    expected = np.stack([pixels] * 3, axis=2) if pixels.ndim == 2 else pixels
    np.testing.assert_allclose(pycaffe.io.load_image(name), expected / 255, atol=1e-7)


def test_what_cannot_be_read_is_an_os_error(project):
    (project / "page.jpg").write_text("<html>not found</html>")
    (project / "empty.jpg").touch()
    Image.fromarray(PIXELS).save("whole.jpg")
    (project / "cut.jpg").write_bytes((project / "whole.jpg").read_bytes()[:300])
    for name, words in {
        "page.jpg": "HTML",
        "empty.jpg": "empty",
        "cut.jpg": "damaged",
        "absent.jpg": "does not exist",
    }.items():
        with pytest.raises(OSError, match=words) as caught:
            pycaffe.io.load_image(name)
        assert isinstance(caught.value, DataError)
        assert name in str(caught.value)


def test_arrays_of_blobs_are_float64():
    """As Caffe's, so that a mean over a whole picture loses nothing."""
    blob = pycaffe.io.array_to_blobproto(np.ones((3, 2, 2), np.float32))
    assert pycaffe.io.blobproto_to_array(blob).dtype == np.float64


def test_messages_are_a_module_too():
    from workflow.pycaffe.proto.caffe_pb2 import NetParameter

    assert NetParameter is pycaffe.proto.caffe_pb2.NetParameter
