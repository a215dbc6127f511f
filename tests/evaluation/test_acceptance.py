from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import UsageError
from workflow.evaluation.acceptance import keeping, point, positives


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("character", "other"), ("character",)),
        (("not_cat", "cat"), ("cat",)),
        (("Background", "fox", "wolf"), ("fox", "wolf")),
        (("cat", "dog"), ("cat", "dog")),
        (("notebook", "nonesuch"), ("notebook", "nonesuch")),
        (("other", "background"), ("other", "background")),
    ],
)
def test_the_positive_classes(classes, found):
    assert positives(classes, None) == found


def test_a_class_that_was_asked_for():
    assert positives(("cat", "other"), "other") == ("other",)
    with pytest.raises(UsageError, match="no class 'cta'") as caught:
        positives(("cat", "other"), "cta")
    assert caught.value.hint == "did you mean 'cat'?"


def test_a_threshold_that_keeps_junk_out():
    scores = np.array([0.1, 0.912345, 0.4, 0.7])
    assert keeping(scores, 0.01) == 0.92
    assert keeping(scores, 0.25) == 0.92  # one of four is just as much as 25 %, not less
    assert keeping(scores, 0.26) == 0.71
    assert keeping(scores, 1) == 0.11
    assert keeping(np.array([0.0]), 0.5) == 0.01
    assert keeping(np.array([0.2, 1.0]), 0.1) is None
    assert keeping(np.array([0.2, 1.0]), 0.6) == 0.21


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60).map(np.array),
    st.floats(1e-6, 1, exclude_min=True),
)
def test_it_always_keeps_and_wastes_little(scores, rate):
    threshold = keeping(scores, rate)
    if threshold is None:
        assert (scores == 1).mean() >= rate - 1e-6
        return
    assert (scores >= threshold).mean() < rate
    least = min(score for score in scores if (scores > score).mean() < rate)  # it must be refused
    assert least < threshold <= least + (1 - least) / 10 + 1e-9


def test_what_happens_at_a_threshold():
    one = point(np.array([0.2, 0.5, 0.9]), np.array([0.5, 0.4]), 0.5)
    assert (one.accepted, one.count, one.recall) == (2, 3, 0.5)
    assert one.rate == pytest.approx(2 / 3)
    document = one.json()
    assert document["interval"][0] < 2 / 3 < document["interval"][1]
    assert point(np.array([0.2]), np.array([]), 0.5).recall is None
