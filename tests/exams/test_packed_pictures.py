"""Packed pictures are the pictures."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.exams.packed_pictures import Pictures
from workflow.exams.picture import Picture

NAMES = st.text(st.characters(exclude_characters="\0\n", exclude_categories=()), max_size=12)  # lone surrogates too
PICTURES = st.lists(
    st.builds(Picture, NAMES, st.binary().map(lambda data: sha256(data).hexdigest()), st.none() | NAMES.filter(bool)),
    max_size=20,
)
FEW = [
    Picture("b/ü.png", "ab" * 32, "cat"),
    Picture("a/1.png", "cd" * 32, None),
    Picture("a/0.png", "ef" * 32, "dog"),
    Picture("", "00" * 32, "cat"),
]


@given(PICTURES)
def test_what_goes_in_comes_out(pictures: list[Picture]) -> None:
    packed = Pictures(pictures)
    assert list(packed) == pictures
    assert [packed[index] for index in range(len(packed))] == pictures
    assert list(Pictures.of_arrays(packed.arrays())) == pictures
    assert [one.path for one in packed.taken(packed.by_path())] == sorted(one.path for one in pictures)


def test_a_sequence() -> None:
    packed = Pictures(FEW)
    assert (packed[-1], packed[1:3], packed[::-2]) == (FEW[-1], FEW[1:3], FEW[::-2])
    assert FEW[2] in packed
    assert list(packed.taken([2, 0])) == [FEW[2], FEW[0]]
    with pytest.raises(IndexError):
        packed[4]
    again = Pictures.of_arrays(packed.arrays())
    again.extend(FEW[:1])
    assert again[4] == FEW[0]
    assert len(packed) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("paths", np.zeros(3, np.uint8)),
        ("ends", np.array([1, 2, 3])),
        ("sha256", np.zeros(31, np.uint8)),
        ("truths", np.array([0, 1, 2, 9])),
        ("truths", np.array([0, 1, 1, -2])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: np.ndarray) -> None:
    with pytest.raises(ValueError, match="lists of pictures|not listed"):
        Pictures.of_arrays(Pictures(FEW).arrays() | {name: value})


def test_little_memory() -> None:
    import tracemalloc

    digests = [f"{index:064x}" for index in range(1000)]
    tracemalloc.start()
    packed = Pictures(Picture(f"images/somewhere/class/{index:08}.png", digests[index], "c") for index in range(1000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(packed) == 1000
    assert held < 130_000
