from __future__ import annotations

import os
from pathlib import Path

import pytest
from packing import pack

from workflow.data.sources import tars
from workflow.data.sources.tar_labels import BadLabel, labels
from workflow.errors import DataError


def told(path: Path, **members: bytes) -> dict[str, str]:
    return labels(
        tars.opened(str(pack(path / "a.tar", {name.replace("_", "."): one for name, one in members.items()})))
    )


def test_labels_are_texts_or_numbers(tmp_path):
    found = told(
        tmp_path,
        a_jpg=b"",
        a_cls=b" 3\n",
        b_cls="fête".encode(),
        c_json=b'{"label": 12, "x": []}',
        d_JSON=b'{"label": "dog"}',
    )
    assert found == {"a": "3", "b": "fête", "c": "12", "d": "dog"}
    assert not any(isinstance(one, BadLabel) for one in found.values())


def test_a_cls_counts_before_a_json(tmp_path):
    assert told(tmp_path, a_json=b'{"label": 1}', a_cls=b"2") == {"a": "2"}
    assert told(tmp_path, a_cls=b"2", a_json=b'{"label": 1}', b_json=b'{"width": 9}', c_json=b"[1]") == {"a": "2"}


def test_labels_that_cannot_be_read_say_why(tmp_path):
    deep = b'{"label": ' + b"[" * 100_000
    found = told(
        tmp_path, a_cls=b" ", b_cls=b"\xff", c_cls=b"x" * 2**21, d_json=b"{", e_json=b'{"label": true}', f_json=deep
    )
    assert all(isinstance(one, BadLabel) for one in found.values())
    assert found["a"] == "has no label: a.cls is empty"
    assert found["b"] == "has no label: b.cls is not text in UTF-8"
    assert found["c"] == "has no label: c.cls has more than 1,048,576 bytes"
    assert "d.json cannot be read" in found["d"]
    assert "Expected `int | str`, got `bool`" in found["e"]
    assert set(found) == set("abcdef")


def test_p31_a_tar_that_changes_meanwhile(tmp_path):
    tar = tars.opened(str(pack(tmp_path / "a.tar", {"a.jpg": b"", "a.cls": b"1"})))
    pack(tmp_path / "a.tar", {"a.jpg": b"", "a.cls": b"2", "b.jpg": b""})
    os.utime(tmp_path / "a.tar", (1, 1))
    with pytest.raises(DataError, match="a.tar changed while being read") as caught:
        labels(tar)
    assert caught.value.fault == "P31"
