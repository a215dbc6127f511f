from __future__ import annotations

import os

import pytest

from workflow.data.names import Names, held_on_disk


def test_names_are_a_sequence_of_text():
    names = ["a.png", "äöü.jpg", os.fsdecode(b"not \xff utf-8.png"), "", "z"]
    packed = Names(names)
    assert list(packed) == names
    assert [packed[place] for place in range(-5, 5)] == names + names
    assert packed[1:4] == names[1:4]
    assert len(packed) == 5
    assert not Names()
    with pytest.raises(IndexError):
        packed[5]


def test_packed_names_are_taken_apart():
    names = ["a.png", os.fsdecode(b"not \xff utf-8.png"), "z"]
    assert Names(names).unpacked() == [os.fsencode(name) for name in names]
    assert Names().unpacked() == []


def test_names_on_disk_are_the_same(tmp_path):
    texts = [["a.png", os.fsdecode(b"not \xff utf-8.png")], [], [""], ["z", "ä"]]
    lists = [Names(names) for names in texts]
    with held_on_disk(lists, tmp_path):
        assert [list(names) for names in lists] == texts
        assert [names.unpacked() for names in lists] == [[os.fsencode(name) for name in names] for names in texts]
        assert not list(tmp_path.iterdir())
    assert not any(lists)
    with held_on_disk([empty := Names()], tmp_path):
        assert list(empty) == []
