"""A test picture stays a test picture."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.data.split import TEST, TRAIN, UNDECIDED, VALIDATION, decide, fractions


def digests(names: list[str]) -> np.ndarray:
    rows = [np.frombuffer(hashlib.sha256(name.encode()).digest(), np.uint8) for name in names]
    return np.array(rows, np.uint8).reshape(len(names), 32)


def sides(names: list[str], share: float = 0.3, **options: object) -> dict[str, int]:
    given_ = {"explicit": undecided(len(names)), "groups": []} | earlier(names, options.pop("known", {})) | options
    return dict(zip(names, decide(digests(names), share=share, **given_).sides.tolist(), strict=True))


def earlier(names: list[str], known: dict[bytes, int]) -> dict[str, object]:
    """What `decide` is told of the generation before, for the sides that it had by digest."""
    found = [known.get(row.tobytes(), UNDECIDED) for row in digests(names)]
    return {"known": np.array(found, np.int8), "cut": VALIDATION in known.values()}


NAMES = st.lists(st.text(max_size=6), unique=True, min_size=1, max_size=40)


@given(NAMES, NAMES)
def test_a_picture_keeps_its_side_whatever_comes_or_goes(old, new):
    before, after = sides(old), sides(sorted(set(old) | set(new)))
    assert all(after[name] == side for name, side in before.items())


@given(NAMES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(names, random):
    mixed = list(names)
    random.shuffle(mixed)
    assert sides(names) == sides(mixed)


@given(NAMES, st.floats(0.05, 0.9), st.floats(0.01, 0.05))
def test_a_larger_share_only_adds_test_pictures(names, share, more):
    small, large = sides(names, share), sides(names, share + more)
    assert all(large[name] == TEST for name, side in small.items() if side == TEST)


@given(NAMES, st.floats(0.05, 0.95))
def test_the_generation_before_wins_over_the_hash(names, share):
    known = {digests([name])[0].tobytes(): TEST for name in names[::2]}
    got = sides(names, share, known=known)
    assert all(got[name] == TEST for name in names[::2])


def test_about_the_share_becomes_test():
    names = [str(number) for number in range(5000)]
    found = list(sides(names, 0.2, validation=0.1).values())
    assert abs(np.mean([side == TEST for side in found]) - 0.2) < 0.02
    assert abs(np.mean([side == VALIDATION for side in found]) - 0.1) < 0.02
    values = fractions(digests(names))
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() < 1


def test_the_fraction_is_that_of_the_first_64_bits():
    digest = hashlib.sha256(b"picture").digest()
    expected = int.from_bytes(digest[:8], "big") / 2**64
    assert abs(fractions(np.frombuffer(digest, np.uint8).reshape(1, 32))[0] - expected) < 1e-15


def test_folders_win_over_everything():
    names = ["a", "b", "c"]
    known = {digests(["a"])[0].tobytes(): TEST}
    explicit = np.array([TRAIN, TEST, UNDECIDED], np.int8)
    got = decide(digests(names), explicit, groups=[np.array([0, 1])], share=0.5, **earlier(names, known))
    assert got.sides[:2].tolist() == [TRAIN, TEST]
    assert got.decided.tolist() == [True, True, False]
    assert got.leaked == {TEST: 1}


def undecided(count: int) -> np.ndarray:
    return np.full(count, UNDECIDED, np.int8)


@given(NAMES.filter(lambda names: len(names) > 2), st.floats(0.2, 0.8))
def test_p29_nearly_equal_pictures_stay_together(names, share):
    group = np.arange(len(names) // 2 + 1)
    alone = sides(names, share)
    got = decide(digests(names), undecided(len(names)), undecided(len(names)), [group], share)
    smallest = min(digests(names)[index].tobytes() for index in group)
    (side,) = set(got.sides[group].tolist())
    below = int.from_bytes(hashlib.sha256(smallest).digest()[:8], "big") / 2**64 < share
    assert side == (TEST if below else TRAIN)
    assert got.moved == sum(alone[names[index]] != side for index in group)
    assert got.sides[len(group) :].tolist() == [alone[name] for name in names[len(group) :]]


@pytest.mark.parametrize("size", [1, 2, 5, 10, 30, 50])
def test_p29_the_test_side_gets_its_share_however_large_the_groups_are(size):
    from scipy.stats import binomtest

    count = 2000
    rows = np.random.default_rng(size).integers(0, 256, (count * size, 32), np.uint8)
    groups = list(np.arange(count * size).reshape(count, size)) if size > 1 else []
    for share in (0.05, 0.1, 0.2, 0.4):
        got = decide(rows, undecided(len(rows)), undecided(len(rows)), groups, share)
        test = int(np.count_nonzero(got.sides[::size] == TEST))
        assert binomtest(test, count, share).pvalue > 0.001, (share, test)


def test_p29_a_group_that_grows_keeps_its_side():
    rows = np.random.default_rng(1).integers(0, 256, (300, 32), np.uint8)
    groups = list(np.arange(200).reshape(100, 2))
    before = decide(rows[:200], undecided(200), undecided(200), groups, 0.3)
    known = np.append(before.sides, undecided(100))
    grown = [np.append(group, 200 + number) for number, group in enumerate(groups)]
    after = decide(rows, undecided(300), known, grown, 0.3)
    assert after.sides.tolist() == [*before.sides, *before.sides[::2]]


def test_p29_a_new_copy_joins_the_picture_that_is_known():
    names = ["known", "copy"]
    for side in (TRAIN, TEST):
        known = {digests(["known"])[0].tobytes(): side}
        explicit = undecided(2)
        got = decide(digests(names), explicit, groups=[np.array([0, 1])], share=0.5, **earlier(names, known))
        assert got.sides.tolist() == [side, side]


def test_p29_a_new_copy_of_both_sides_is_kept_out_of_training():
    names = ["one", "other", "copy"]
    known = {digests(["one"])[0].tobytes(): TRAIN, digests(["other"])[0].tobytes(): TEST}
    got = decide(digests(names), undecided(3), groups=[np.arange(3)], share=0.5, **earlier(names, known))
    assert got.sides.tolist() == [TRAIN, TEST, TEST]
    assert got.leaked == {TEST: 2}


@given(NAMES, NAMES, st.floats(0.01, 0.6))
def test_a_validation_picture_stays_one_whatever_comes_or_goes(old, new, validation):
    before = sides(old, validation=validation)
    known = {digests([name])[0].tobytes(): side for name, side in before.items()}
    for earlier in (known, {}):
        after = sides(sorted(set(old) | set(new)), validation=validation, known=earlier)
        if earlier == {} or VALIDATION in known.values():
            assert all(after[name] == side for name, side in before.items())


@given(NAMES, st.floats(0.01, 0.6), st.booleans())
def test_validation_pictures_are_cut_out_of_the_training_pictures_of_before(names, validation, joined):
    groups = [np.arange(len(names))] if joined else []
    before = sides(names, groups=groups)
    known = {digests([name])[0].tobytes(): side for name, side in before.items()}
    after = decide(
        digests(names), undecided(len(names)), groups=groups, share=0.3, validation=validation, **earlier(names, known)
    )
    assert [side == TEST for side in after.sides] == [side == TEST for side in before.values()]
    assert after.leaked == {}
    assert after.sides.tolist() == list(sides(names, groups=groups, validation=validation).values())


def test_without_a_share_validation_pictures_are_training_pictures_again():
    names = ["a", "b", "c"]
    known = dict(zip([row.tobytes() for row in digests(names)], (TRAIN, VALIDATION, TEST), strict=True))
    assert list(sides(names, known=known).values()) == [TRAIN, TRAIN, TEST]
    explicit = np.array([UNDECIDED, VALIDATION, UNDECIDED], np.int8)
    assert list(sides(names, known=known, explicit=explicit).values()) == [TRAIN, VALIDATION, TEST]


def test_a_copy_of_a_validation_picture_joins_it():
    names = ["known", "copy"]
    known = {digests(["known"])[0].tobytes(): VALIDATION}
    assert list(sides(names, known=known, groups=[np.arange(2)], validation=0.1).values()) == [VALIDATION] * 2
