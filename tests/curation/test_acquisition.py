from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from three_generations import make_three, settings

from workflow.curation.acquisition import WEIGHTS, _ranks, divergence, weigh
from workflow.exams.committee import Member, Panel, ask
from workflow.exams.exam import of_unlabelled
from workflow.exams.picture import Picture


def opinions(rng: np.random.Generator, count: int, pictures: int = 7, classes: int = 4) -> list[np.ndarray]:
    return [rng.dirichlet(np.ones(classes), size=pictures).astype("f") for _ in range(count)]


def test_divergence_of_two_is_scipys():
    from scipy.spatial.distance import jensenshannon

    one, other = opinions(np.random.default_rng(1), 2)
    expected = [jensenshannon(a, b, base=2) ** 2 for a, b in zip(one.astype("d"), other.astype("d"), strict=True)]
    np.testing.assert_allclose(divergence([one, other]), expected, rtol=1e-5)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_divergence_is_between_agreement_and_certain_disagreement(count):
    same = opinions(np.random.default_rng(2), 1)[0]
    np.testing.assert_allclose(divergence([same] * count), 0, atol=1e-6)
    certain = [np.eye(6, dtype="f")[[index, index]] for index in range(count)]
    np.testing.assert_allclose(divergence(certain), 1)
    assert divergence(opinions(np.random.default_rng(3), count)).shape == (7,)


def test_equal_values_have_equal_ranks():
    from scipy.stats import rankdata

    values = np.random.default_rng(5).integers(0, 5, 30).astype("d")
    np.testing.assert_array_equal(_ranks(values), (rankdata(values) - 1) / 29)
    assert _ranks(np.array([3.0])).tolist() == [0]


def test_nobody_to_disagree_with():
    assert not divergence(opinions(np.random.default_rng(4), 1)).any()
    assert not divergence([np.ones((3, 1), "f")] * 2).any()


def test_ranks_are_added_by_weight(project):
    make_three(project)
    panel = ask(settings(), of_unlabelled(Path("images/test")))
    novelty = np.arange(len(panel.pictures), dtype="d")
    worth = weigh(panel, novelty)
    assert worth.weights == WEIGHTS
    two = np.sort(panel.newest.probabilities.astype("d"), axis=1)[:, -2:]
    np.testing.assert_allclose(worth.margin, two[:, 1] - two[:, 0])
    for name, part in (
        ("disagreement", worth.disagreement),
        ("margin", -worth.margin),
        ("novelty", novelty),
    ):
        ranks = worth.ranks[name]
        assert (ranks.min(), ranks.max()) == (0, 1)
        np.testing.assert_array_equal(part[np.argsort(ranks)], np.sort(part))
    expected = sum(WEIGHTS[name] * worth.ranks[name] for name in WEIGHTS)
    np.testing.assert_allclose(worth.score, expected)


def test_classes_that_not_all_know_do_not_count_as_disagreement(project):
    make_three(project)
    panel = ask(settings(), of_unlabelled(Path("images/test/empty")))
    worth = weigh(panel, np.zeros(4))
    shared = [one.probabilities[:, :2] / one.probabilities[:, :2].sum(1, keepdims=True) for one in panel.members]
    np.testing.assert_allclose(worth.disagreement, divergence(shared), atol=1e-6)


def test_one_generation_has_no_disagreement(project):
    make_three(project)
    panel = ask(settings(), of_unlabelled(Path("images/test")), number=1)
    worth = weigh(panel, np.zeros(len(panel.pictures)))
    assert worth.weights == pytest.approx({"margin": 2 / 3, "novelty": 1 / 3})
    np.testing.assert_allclose(worth.ranks["novelty"], 0.5)  # all alike


def opinion(generation: str, *shares: tuple[float, float]) -> Member:
    return Member(model=Named(f"{generation}/iter_1"), classes=("cat", "dog"), probabilities=np.array(shares, "f"))


@dataclass(frozen=True)
class Named:
    """A model of which only the name is asked."""

    name: str


@pytest.mark.parametrize(
    ("before", "after", "far", "reason"),
    [
        ((1.0, 0.0), (1.0, 0.0), 1.0, "nothing special (cat 1.00)"),
        ((0.93, 0.07), (0.99, 0.01), 1.1, "nothing special (cat 0.99)"),
        ((0.55, 0.45), (0.62, 0.38), 1.0, "undecided: cat 0.62, dog 0.38"),
        ((0.0, 1.0), (1.0, 0.0), 1.0, "gen1 says dog 1.00, gen2 cat 1.00"),
        ((0.7, 0.3), (1.0, 0.0), 1.0, "generations give cat 0.70 to 1.00"),
        ((1.0, 0.0), (1.0, 0.0), 9.0, "unlike the training set (9.0 × as far)"),
        (
            (0.2, 0.8),
            (0.6, 0.4),
            2.0,
            "gen1 says dog 0.80, gen2 cat 0.60; undecided: cat 0.60, dog 0.40; unlike",
        ),
    ],
)
def test_no_reason_that_the_numbers_contradict(before, after, far, reason):
    """The first picture of a pile of three, whatever it ranks among pictures of which the net is as sure."""
    pictures = [Picture(path=f"{index}.png", sha256=f"{index:064x}", truth=None) for index in range(3)]
    members = (opinion("gen1", before, (1, 0), (1, 0)), opinion("gen2", after, (1, 0), (1, 0)))
    worth = weigh(Panel(pictures=pictures, members=members, skipped=()), np.array([far, 1.0, 1.0]))
    assert worth.reason(0).startswith(reason)


def test_reasons(project):
    make_three(project)
    panel = ask(settings(), of_unlabelled(Path("images/test")))
    novelty = np.ones(len(panel.pictures))
    novelty[3] = 9
    worth = weigh(panel, novelty)
    assert "unlike the training set (9.0 × as far)" in worth.reason(3)
    for index in range(len(panel.pictures)):
        assert ("undecided: " in worth.reason(index)) == (worth.margin[index] <= 0.5)
