"""Keys and the order of the records."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workflow.data.writing import record_key, shuffled
from workflow.formats.lmdb import MAX_KEY


def test_keys_are_those_of_convert_imageset():
    assert record_key(1, "sub/im 1.png") == b"00000001_sub/im 1.png"
    assert record_key(123456789, "a") == b"123456789_a"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=700), st.integers(0, 10**8))
def test_p24_no_key_is_too_long_for_lmdb(inside, number):
    key = record_key(number, inside)
    assert len(key) <= MAX_KEY
    assert key.startswith(b"%08d_" % number)


def test_p24_paths_that_are_cut_stay_different():
    keys = {record_key(7, "d" * 600 + tail) for tail in "abc"}
    assert len(keys) == 3


@given(st.integers(0, 2**70), st.randoms(use_true_random=False))
def test_the_order_depends_on_seed_and_bytes_alone(seed, random):
    digests = np.random.default_rng(1).integers(0, 256, (20, 32), dtype=np.uint8)
    indices = np.arange(0, 20, 2)
    order = shuffled(digests, indices, seed)
    assert sorted(order.tolist()) == indices.tolist()
    places = list(range(20))
    random.shuffle(places)  # the same files under other names
    moved = shuffled(digests[places], np.flatnonzero(np.array(places) % 2 == 0), seed)
    assert [places[index] for index in moved] == order.tolist()


def test_seeds_give_different_orders():
    digests = np.random.default_rng(1).integers(0, 256, (50, 32), dtype=np.uint8)
    orders = {tuple(shuffled(digests, np.arange(50), seed).tolist()) for seed in range(5)}
    assert len(orders) == 5
