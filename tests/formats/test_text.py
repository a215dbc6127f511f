"""Text in the encodings that editors and spreadsheets write, wherever a user's text is read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from one_layer import make
from PIL import Image

from workflow.data.image_list import ImageList
from workflow.data.windows import WindowFile
from workflow.errors import ConfigError, DataError, ModelError, PrototxtError
from workflow.formats import labels, prototxt, yaml
from workflow.formats.hdf5_arrays import write
from workflow.formats.text import decode, decode_names

UNDERSTOOD = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", UNDERSTOOD)
def test_the_encodings_that_say_what_they_are(encoding):
    text = "猫\nживотное, café 🐈\n"
    assert decode(text.encode(encoding), "a.txt", error=DataError) == text
    assert decode_names(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        ("ラベル,ねこ", "cp932", "Shift-JIS"),
        ("ラベル,ねこ", "euc_jp", "EUC-JP"),
        ("고양이와 개", "cp949", "EUC-KR or GB18030"),
        ("标签是猫和狗", "gb18030", "EUC-KR or GB18030"),
        ("name,café", "cp1252", "Windows-1252"),
    ],
)
def test_another_encoding_is_called_by_its_name(text, codec, name):
    with pytest.raises(DataError, match=f"a.csv is not UTF-8 text, but looks like {name}") as caught:
        decode(b"first line\n" + text.encode(codec), "a.csv", error=DataError)
    assert caught.value.hint == f"save it as UTF-8: iconv -f {name.partition(' ')[0].upper()} -t UTF-8 a.csv"
    assert caught.value.at.line == 2


def test_what_is_no_text():
    with pytest.raises(DataError, match="is not UTF-8 text") as caught:
        decode(b"\x0a\x05\0\xff\xfe", "model", error=DataError)
    assert caught.value.hint == "is this a binary file?"


@pytest.mark.parametrize("encoding", UNDERSTOOD)
def test_every_reader_of_a_users_text(tmp_path: Path, encoding: str):
    def save(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    Image.new("RGB", (4, 4)).save(tmp_path / "猫.png")
    write(tmp_path / "rows.h5", {"data": np.zeros((2, 3), np.float32)})
    assert labels.read(save("labels.txt", "猫\ndog\n")) == ("猫", "dog")
    assert yaml.read(save("a.yaml", "classes: [猫, dog]\n"))["classes"] == ["猫", "dog"]
    assert prototxt.read_net(save("net.prototxt", "name: '猫' layer { name: 'a' type: 'ReLU' }\n")).name == "猫"
    listed = ImageList(save("list.txt", "猫.png 3\n"), tmp_path)
    assert listed.pixels(0).shape == (3, 4, 4)
    window = "# 0\n猫.png\n3\n4\n4\n1\n1 1 0 0 3 3\n"
    assert WindowFile.read(save("windows.txt", window)).pictures == ["猫.png"]
    save("rows.txt", "rows.h5\n")
    layer = make(
        "name: 'd' type: 'HDF5Data' top: 'data' hdf5_data_param { source: 'rows.txt' batch_size: 2 }", folder=tmp_path
    )
    assert layer.top_shapes() == [(2, 3)]


def test_every_reader_refuses_what_it_would_garble(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes("name: 'ねこ'".encode("cp932"))
    readers = ((labels.read, ModelError), (yaml.read, ConfigError), (prototxt.read_net, PrototxtError))
    for read, error in readers:
        with pytest.raises(error, match="is not UTF-8 text, but looks like Shift-JIS"):
            read(path)


def test_names_of_files_are_bytes(tmp_path: Path):
    """A list may hold what the file system holds, in any encoding."""
    name = "ねこ.png".encode("cp932")
    Image.new("RGB", (4, 4)).save(tmp_path / os.fsdecode(name))
    (tmp_path / "list.txt").write_bytes(name + b" 1\n")
    assert ImageList(tmp_path / "list.txt", tmp_path).pixels(0).shape == (3, 4, 4)
