from __future__ import annotations

import numpy as np
import pytest
from one_layer import make
from PIL import Image

from workflow.errors import DatabaseError, NetError

TEXT = """name: 'w' type: 'WindowData' top: 'data' top: 'label' transform_param { crop_size: 6 %s }
  window_data_param { source: 'w.txt' %s }"""
LIST = "# 0\na.png\n3 20 30\n4\n%s\n# 1\nb.png\n3 20 30\n0\n"
WINDOWS = "2 0.9 3 4 12 15\n1 0.6 0 0 9 9\n1 0.45 2 2 20 10\n3 0.1 5 5 14 14"


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        pixels = np.random.default_rng(ord(name)).integers(0, 256, size=(20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "w.txt").write_text(LIST % WINDOWS)
    return tmp_path


def test_background_first_then_the_share_of_foreground(folder):
    layer = make(TEXT % ("", "batch_size: 8 fg_fraction: 0.4"), folder=folder)
    assert layer.top_shapes() == [(8, 3, 6, 6), (8,)]
    seen = set()
    for layer.position in range(20):
        data, labels = layer.forward()
        assert labels[:5].tolist() == [0] * 5
        seen |= set(labels[5:].tolist())
        assert data.shape == (8, 3, 6, 6)
    assert seen == {1, 2}  # what overlaps by 0.45 is background, by 0.6 and 0.9 foreground


def test_what_lies_between_the_thresholds_is_left_out(folder):
    layer = make(TEXT % ("", "batch_size: 4 fg_threshold: 0.8 bg_threshold: 0.3 fg_fraction: 1"), folder=folder)
    assert layer.forward()[1].tolist() == [2] * 4
    assert (len(layer.front), len(layer.back)) == (1, 1)


def test_mirrored_windows(folder):
    (folder / "w.txt").write_text(LIST.replace("4\n%s", "1\n1 0.9 0 3 9 12"))
    plain = make(TEXT % ("", "batch_size: 1 fg_fraction: 1 context_pad: 1"), folder=folder).forward()[0].numpy()
    layer = make(TEXT % ("mirror: true", "batch_size: 16 fg_fraction: 1 context_pad: 1"), folder=folder)
    rows = layer.forward()[0].numpy()
    kinds = {"plain" if np.array_equal(row, plain[0]) else "mirrored" for row in rows}
    assert kinds == {"plain", "mirrored"}
    assert all(np.array_equal(row, plain[0]) or np.array_equal(row, plain[0, :, :, ::-1]) for row in rows)


@pytest.mark.parametrize(
    ("transform", "param", "words"),
    [
        ("", "", "crop_size=6, batch_size=0, expected at least 1"),
        ("", "batch_size: 2 context_pad: 3", "context_pad=3 leaves nothing of crop_size=6"),
        ("", "batch_size: 2 crop_mode: 'fit'", "crop_mode 'fit', expected 'warp' or 'square'"),
        ("", "batch_size: 2 fg_fraction: 1.5", "fg_fraction=1.5"),
        ("", "batch_size: 4 fg_threshold: 0.95", "has no window of the foreground .overlap of 0.95 or more."),
        ("", "batch_size: 4 bg_threshold: 0.05", "has no window of the background .below 0.05."),
        ("mean_value: 1 mean_value: 2", "batch_size: 4", "2 mean_value, expected 1 or 3"),
    ],
)
def test_settings_that_cannot_be(folder, transform, param, words):
    with pytest.raises(NetError, match=words):
        make(TEXT % (transform, param), folder=folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "pictures of .. channels"),
        ("a.png 3", "picture 0: 'a.png' where '# index' should be"),
        ("# 0\na.png\n3 20", "picture 1: it ends in the middle"),
        ("# 0\na.png\n3 20 30\n2\n1 0.9 1 1 5 5", "picture 1: it ends in the middle"),
        ("# 0\na.png\n3 20 x", "picture 1: invalid literal"),
        ("# 0\na.png\n3 20 30\n1\n0 0.9 1 1 5 5", "a window of a.png overlaps by 0.9 and has label 0"),
        ("# 0\na.png\n3 20 30\n0\n# 1\nb.png\n1 20 30\n0", r"pictures of \[1, 3\] channels"),
    ],
)
def test_lists_that_cannot_be(folder, content, words):
    (folder / "w.txt").write_text(content)
    with pytest.raises(DatabaseError, match=words):
        make(TEXT % ("", "batch_size: 4"), folder=folder)


def test_a_window_outside_of_its_picture(folder):
    (folder / "w.txt").write_text(LIST.replace("4\n%s", "1\n1 0.9 25 3 40 12"))
    with pytest.raises(NetError, match=r"a.png: the window \(25, 3, 40, 12\) does not lie in a picture of 30 x 20"):
        make(TEXT % ("", "batch_size: 1 fg_fraction: 1"), folder=folder).forward()
