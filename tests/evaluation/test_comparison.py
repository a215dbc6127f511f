"""McNemar's test and the comparison of two snapshots' answers."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.errors import DataError
from workflow.evaluation.comparison import compare, mcnemar, paired_interval
from workflow.exams.answers import Answers
from workflow.exams.picture import Picture, Skipped

CLASSES = ("cat", "dog", "owl")


def answers(truths, said, *, snapshot="gen1/iter_1", classes=CLASSES, confidence=0.9) -> Answers:
    """Of pictures 00.png, 01.png and so on: `said` is given to each with the same confidence."""
    probabilities = np.full((len(said), len(classes)), (1 - confidence) / (len(classes) - 1), np.float32)
    for row, name in enumerate(said):
        probabilities[row, classes.index(name)] = confidence
    pictures = [Picture(f"{index:02}.png", f"{index:064x}", truth) for index, truth in enumerate(truths)]
    return Answers(snapshot=snapshot, exam="gen2 test", classes=classes, pictures=pictures, probabilities=probabilities)


def shuffled(one: Answers, order) -> Answers:
    return replace(one, pictures=[one.pictures[index] for index in order], probabilities=one.probabilities[order])


# ---- the statistics ----


@settings(deadline=None)  # the first call imports scipy
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_statsmodels(b: int, c: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar as reference

    expected = reference([[7, b], [c, 5]], exact=True).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sum_of_its_terms(b: int, c: int) -> None:
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(b, c) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)
    assert mcnemar(b, c) == mcnemar(c, b)


def test_mcnemar_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        mcnemar(-1, 3)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 300))
def test_the_interval_of_the_difference_is_symmetric_and_within_bounds(b: int, c: int, more: int) -> None:
    count = b + c + more
    low, high = paired_interval(b, c, count)
    assert -1 <= low < high <= 1
    assert paired_interval(c, b, count) == pytest.approx((-high, -low))
    assert low < (c - b) / (count + 2) < high


def test_the_interval_of_the_difference_covers_the_truth() -> None:
    """Of 2,000 exams with known chances of a change, 95 % have the true difference inside."""
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(150, (0.06, 0.14, 0.8), size=2000)
    inside = [low <= 0.08 <= high for low, high in (paired_interval(int(b), int(c), 150) for b, c, _ in drawn)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_the_interval_refuses_more_changes_than_pictures() -> None:
    with pytest.raises(ValueError, match="5 and 6 of 10"):
        paired_interval(5, 6, 10)


# ---- the comparison ----


def test_each_picture_is_where_it_belongs() -> None:
    truths = ["cat", "cat", "dog", "dog", "owl"]
    before = answers(truths, ["cat", "dog", "dog", "owl", "cat"], snapshot="gen1/iter_1")
    after = answers(truths, ["cat", "cat", "cat", "owl", "dog"], snapshot="gen2/iter_1", confidence=0.8)
    one = compare(before, after)
    assert [case.path for case in one.fixed] == ["01.png"]
    assert [case.path for case in one.broken] == ["02.png"]
    assert [case.path for case in one.still_wrong] == ["03.png", "04.png"]
    case = one.fixed[0]
    assert (case.truth, case.before, case.after) == ("cat", "dog", "cat")
    assert (case.before_probability, case.after_probability) == pytest.approx((0.9, 0.8))
    assert one.right == (2, 2)
    assert one.difference == 0
    by_name = {change.name: change for change in one.per_class}
    assert [(by_name[name].before, by_name[name].after) for name in CLASSES] == [(1, 2), (1, 0), (0, 0)]
    facts = json.loads(json.dumps(one.json()))
    assert facts["still_wrong"] == ["03.png", "04.png"]
    assert facts["accuracy"] == {"before": 0.4, "after": 0.4}
    assert facts["per_class"]["cat"] == {
        "pictures": 2, "before": 0.5, "after": 1.0, "fixed": 1, "broken": 0, "p_value": 1.0,
    }  # fmt: skip


def test_the_most_confident_wrong_answer_comes_first() -> None:
    before = answers(["cat"] * 3, ["dog", "dog", "owl"])
    before.probabilities[:] = [[0.3, 0.4, 0.3], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]
    one = compare(before, answers(["cat"] * 3, ["cat"] * 3, snapshot="gen2/iter_1"))
    assert [case.path for case in one.fixed] == ["01.png", "02.png", "00.png"]


labels = st.lists(st.tuples(*[st.sampled_from(CLASSES)] * 3), min_size=1, max_size=40)


@settings(deadline=None)
@given(labels, st.randoms(use_true_random=False))
def test_the_parts_make_the_whole(rows, random) -> None:
    truths, was, now = (list(column) for column in zip(*rows, strict=True))
    before, after = answers(truths, was), answers(truths, now, snapshot="gen2/iter_1")
    one = compare(before, after)
    both = sum(t == w == n for t, w, n in rows)
    assert len(one.fixed) + len(one.broken) + len(one.still_wrong) + both == one.count == len(rows)
    assert one.right == (int(before.correct.sum()), int(after.correct.sum()))
    assert sum(change.count for change in one.per_class) == len(rows)
    assert sum(change.fixed for change in one.per_class) == len(one.fixed)
    assert sum(change.broken for change in one.per_class) == len(one.broken)
    back = compare(after, before)  # the other way round
    assert {case.path for case in back.fixed} == {case.path for case in one.broken}
    assert {case.path for case in back.still_wrong} == {case.path for case in one.still_wrong}
    assert back.p_value == one.p_value
    assert back.difference == -one.difference
    order = list(range(len(rows)))
    random.shuffle(order)
    assert compare(shuffled(before, order), after).json() == one.json()
    same = compare(before, before)
    assert (same.fixed, same.broken, same.p_value) == ((), (), 1.0)


def test_an_unknown_class_counts_as_wrong_and_is_told() -> None:
    truths = ["cat", "owl", "owl"]
    before = answers(truths, ["cat", "cat", "dog"], classes=("cat", "dog"))
    after = answers(truths, ["cat", "owl", "cat"], snapshot="gen2/iter_1")
    one = compare(before, after)
    assert one.unknown == {"gen1/iter_1": {"owl": 2}}
    assert len(one.fixed) == len(one.still_wrong) == 1


def test_classes_are_matched_by_name_whatever_their_numbers() -> None:
    truths = ["cat", "dog", "owl"]
    one = compare(answers(truths, truths), answers(truths, truths, snapshot="b", classes=("owl", "dog", "cat")))
    assert one.right == (3, 3)


def test_different_exams_are_refused() -> None:
    before, after = answers(["cat", "dog"], ["cat", "dog"]), answers(["cat", "owl"], ["cat", "dog"])
    with pytest.raises(DataError, match="01.png is 'dog' and 'owl'") as caught:
        compare(before, after)
    assert "--exam" in caught.value.hint
    with pytest.raises(DataError, match=r"1 pictures are in one of them only, 02.png for one"):
        compare(before, answers(["cat", "dog", "owl"], ["cat", "dog", "owl"]))


def test_pictures_that_one_could_not_read_are_left_out_and_counted() -> None:
    before = answers(["cat", "dog", "owl"], ["cat", "cat", "owl"])
    after = replace(
        shuffled(answers(["cat", "dog", "owl"], ["cat", "dog", "cat"]), [2, 0]),
        skipped=(Skipped(path=Path("01.png"), reason="is truncated"),),
    )
    one = compare(before, after)
    assert (one.count, one.unpaired) == (2, 1)
    assert [case.path for case in one.broken] == ["02.png"]
    skipped = tuple(Skipped(path=Path(name), reason="") for name in ("02.png", "00.png"))
    nothing = replace(shuffled(before, [1]), skipped=skipped)
    with pytest.raises(DataError, match="no picture of gen2 test was read for both"):
        compare(nothing, after)
