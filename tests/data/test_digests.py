"""Digests are found by their places, also where their first eight bytes agree."""

from __future__ import annotations

import hashlib

import numpy as np

from workflow.data.digests import Digests


def rows(*texts: str) -> np.ndarray:
    found = [np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8) for text in texts]
    return np.array(found, np.uint8).reshape(-1, 32)


def test_each_is_found_at_its_place():
    texts = [str(number) for number in range(300)]
    digests = Digests(rows(*texts))
    assert digests.find(rows(*texts[::-1])).tolist() == list(range(300))[::-1]
    assert digests.find(rows("other", "7")).tolist() == [-1, 7]
    assert digests.find(rows()).tolist() == []


def test_the_whole_digest_decides():
    alike = rows("a", "b", "c", "d")
    alike[:, :8] = 7
    digests = Digests(alike[:3])
    assert digests.find(alike).tolist() == [0, 1, 2, -1]


def test_of_equal_ones_the_last_counts():
    assert Digests(rows("a", "b", "a")).find(rows("a", "b")).tolist() == [2, 1]


def test_none():
    assert Digests(rows()).find(rows("a")).tolist() == [-1]
