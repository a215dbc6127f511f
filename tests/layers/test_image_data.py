from __future__ import annotations

import numpy as np
import pytest
from one_layer import make
from PIL import Image

from workflow.errors import DatabaseError, NetError

RNG = np.random.default_rng(6)
TEXT = "name: 'd' type: 'ImageData' top: 'data' top: 'label' %s image_data_param { source: 'list.txt' %s }"


def draw(path, height, width, **options):
    Image.fromarray(RNG.integers(0, 256, size=(height, width, 3), dtype=np.uint8)).save(path, **options)


@pytest.fixture
def pictures(tmp_path):
    for number in range(5):
        draw(tmp_path / f"{number}.png", 7, 5)
    (tmp_path / "list.txt").write_text("".join(f"{number}.png {number + 10}\n" for number in range(5)))
    return tmp_path


def labels(layer, passes):
    found = []
    for layer.position in range(passes):
        found += layer.forward()[1].tolist()
    return found


def test_in_order_or_shuffled(pictures):
    plain, mixed = (make(TEXT % ("", f"batch_size: 4 {more}"), folder=pictures) for more in ("", "shuffle: true"))
    assert plain.top_shapes() == [(4, 3, 7, 5), (4,)]
    assert labels(plain, 3) == [10, 11, 12, 13, 14, 10, 11, 12, 13, 14, 10, 11]
    seen = labels(mixed, 5)
    assert all(sorted(seen[i : i + 5]) == [10, 11, 12, 13, 14] for i in range(0, 20, 5))
    assert seen[:5] != seen[5:10] or seen[5:10] != seen[10:15]
    mixed.seed = 5
    assert labels(mixed, 5) != seen


def test_some_are_left_out_at_the_beginning(pictures):
    layer = make(TEXT % ("", "batch_size: 5 rand_skip: 5"), folder=pictures)
    first = []
    for layer.seed in range(30):
        seen = labels(layer, 1)
        assert seen == [10 + (seen[0] - 10 + i) % 5 for i in range(5)]
        first.append(seen[0])
    assert set(first) == {10, 11, 12, 13, 14}


def test_crops_and_mirrors_are_drawn_in_training(pictures):
    crop = "transform_param { crop_size: 4 mirror: true }"
    layer = make(TEXT % (crop, "batch_size: 2"), folder=pictures)
    assert layer.top_shapes()[0] == (2, 3, 4, 4)
    first, again = layer.forward()[0], layer.forward()[0]
    np.testing.assert_array_equal(first, again)
    layer.seed = 1
    assert not np.array_equal(first, layer.forward()[0])


@pytest.mark.caffe
@pytest.mark.parametrize("color", ["true", "false"])
def test_photographs_as_real_caffe_reads_them(real_caffe, tmp_path, color):
    """JPEG, turned in all eight ways; decoders differ by 2 of 255, and in the grey of a colour by 1."""
    lines = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        smooth = np.kron(RNG.integers(0, 256, size=(3, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        Image.fromarray(smooth).save(tmp_path / f"{orientation}.jpg", exif=exif, quality=95, subsampling=0)
        lines.append(f"{orientation}.jpg {orientation}\n")
    (tmp_path / "list.txt").write_text("".join(lines))
    text = TEXT % ("", f"batch_size: 1 is_color: {color}")
    (tmp_path / "net.prototxt").write_text(f"layer {{ {text} }}")
    theirs = real_caffe("""
net = caffe.Net('net.prototxt', caffe.TEST)
for turn in range(8):
    net.forward()
    result[str(turn)] = net.blobs['data'].data.copy()
""")
    layer = make(text, "TEST", folder=tmp_path)
    for layer.position in range(8):
        ours, expected = layer.forward()[0].numpy(), theirs[str(layer.position)]
        assert ours.shape == expected.shape
        assert np.abs(ours - expected).max() <= 2


def test_pictures_of_other_sizes(pictures):
    draw(pictures / "1.png", 6, 5)
    mixed = make(TEXT % ("", "batch_size: 2"), folder=pictures)
    with pytest.raises(DatabaseError, match=r"list.txt:2: 1.png has shape \(3, 6, 5\), the batch's first \(3, 7, 5\)"):
        mixed.forward()
    alone = make(TEXT % ("", "batch_size: 1"), folder=pictures)
    alone.position = 1
    assert alone.forward()[0].shape == (1, 3, 6, 5)
    assert (
        make(TEXT % ("transform_param { crop_size: 5 }", "batch_size: 2"), folder=pictures).forward()[0].shape[2] == 5
    )


@pytest.mark.parametrize(
    ("content", "param", "error", "words"),
    [
        ("", "", DatabaseError, "lists no pictures"),
        ("0.png cat", "", DatabaseError, "list.txt:1: label 'cat' is not a whole number"),
        ("\n9.png 1", "", DatabaseError, "9.png does not exist"),
        ("list.txt 1", "", DatabaseError, "list.txt:1: .* cannot be decoded"),
        ("0.png 1", "batch_size: 0", NetError, "batch_size=0"),
        ("0.png 1", "new_height: 5", NetError, "new_height=5, new_width=0, expected both or none"),
        ("0.png 1", "rand_skip: 900", DatabaseError, "rand_skip=900, but .* lists 1 pictures"),
    ],
)
def test_lists_and_settings_that_cannot_be(pictures, content, param, error, words):
    (pictures / "list.txt").write_text(content)
    with pytest.raises(error, match=words):
        make(TEXT % ("", param), folder=pictures).top_shapes()


def test_the_prefix_is_put_before_the_path_as_it_is(pictures):
    (pictures / "list.txt").write_text("ng 7\n")
    assert labels(make(TEXT % ("", "root_folder: '3.p'"), folder=pictures), 1) == [7]
