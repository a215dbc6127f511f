"""Noise or signal, and the band of the seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.evaluation.comparison import Case, ClassChange, Comparison
from workflow.evaluation.seed_spread import Band, seed_p_value
from workflow.evaluation.verdict import chance, judge

shares = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)


def band(*values: float) -> Band:
    return Band(values={f"gen5/seed_{index}": value for index, value in enumerate(values)})


def comparison(fixed: int, broken: int, count: int = 1000) -> Comparison:
    case = Case(path="", sha256="", truth="cat", before="", before_probability=0.5, after="", after_probability=0.5)
    return Comparison(
        before="gen4/iter_9",
        after="gen5/iter_9",
        exam="gen5 test",
        count=count,
        fixed=(case,) * fixed,
        broken=(case,) * broken,
        still_wrong=(),
        per_class=(),
        unknown={},
        unpaired=0,
    )


@settings(deadline=None)  # the first call imports scipy.special
@given(st.lists(shares, min_size=2, max_size=6, unique=True), st.lists(shares, min_size=2, max_size=6, unique=True))
def test_two_bands_are_students_t(one: list[float], other: list[float]) -> None:
    from scipy.stats import ttest_ind

    assert seed_p_value(band(*one), band(*other)) == pytest.approx(ttest_ind(one, other).pvalue, rel=1e-6, abs=1e-12)


def test_one_band_is_held_against_a_single_value() -> None:
    assert seed_p_value(0.7, 0.8) is None
    near, far = seed_p_value(0.71, band(0.70, 0.72, 0.74)), seed_p_value(0.50, band(0.70, 0.72, 0.74))
    assert near is not None
    assert far is not None
    assert far < 0.02 < 0.05 < near
    assert seed_p_value(band(0.70, 0.72, 0.74), 0.71) == near
    assert seed_p_value(0.5, band(0.7, 0.7)) == 0
    assert seed_p_value(0.7, band(0.7, 0.7)) == 1


def test_a_band_in_figures() -> None:
    facts = band(0.7, 0.8, 0.9).json()
    assert (facts["seeds"], facts["mean"], facts["sd"]) == (3, pytest.approx(0.8), pytest.approx(0.1))
    assert facts["range"] == (0.7, 0.9)


def test_a_class_that_fell_is_named_though_the_whole_is_noise() -> None:
    cat = ClassChange(name="cat", count=130, before=93, after=54, fixed=3, broken=42)
    other = ClassChange(name="other", count=279, before=210, after=253, fixed=45, broken=2)
    found = judge(replace(comparison(48, 44, 409), per_class=(cat, other)), None, None)
    assert found.outcome == "noise"
    assert found.words.endswith(
        "; but 'cat' is worse, recall 0.7154 to 0.4154 and 'other' is better, recall 0.7527 to 0.9068"
    )
    found = judge(replace(comparison(80, 10, 409), per_class=(cat, other)), None, None)
    assert found.outcome == "better"
    assert found.words.endswith("; but 'cat' is worse, recall 0.7154 to 0.4154")


def test_few_changes_are_noise() -> None:
    one = judge(comparison(12, 9), None, None)
    assert one.outcome == "noise"
    assert "12 fixed against 9 broken of 1,000 pictures: that could be chance (p = 0.66, McNemar)" in one.words
    assert judge(comparison(0, 0), None, None).words.endswith("no picture changed between right and wrong")


def test_many_one_sided_changes_are_signal() -> None:
    assert judge(comparison(40, 9), None, None).outcome == "better"
    worse = judge(comparison(9, 40), None, None)
    assert worse.outcome == "worse"
    assert worse.words.startswith("a clear difference: gen5/iter_9 is worse than gen4/iter_9; ")
    assert "was not measured" in worse.words


def test_what_seeds_do_as_well_is_noise() -> None:
    """49 of 1,000 pictures more: McNemar is sure, but seeds alone move the accuracy by as much."""
    one = comparison(60, 11)
    wide, narrow = band(0.94, 0.99, 0.89), band(0.988, 0.990, 0.989)
    assert one.right == (940, 989)
    assert judge(one, None, wide).outcome == "noise"
    assert "gen5/seed_0 0.9400 ± 0.0500 over 3 seeds: the difference is within" in judge(one, None, wide).words
    assert judge(one, None, narrow).outcome == "better"
    assert "beyond the variation between seeds" in judge(one, None, narrow).words


def test_chance_in_words() -> None:
    assert [chance(p) for p in (0.5, 0.031, 0.0004)] == ["p = 0.5", "p = 0.031", "p < 0.001"]
