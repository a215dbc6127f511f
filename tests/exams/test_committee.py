from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from three_generations import make_three, settings

from workflow.errors import UsageError
from workflow.exams.committee import ask, column
from workflow.exams.exam import of_unlabelled
from workflow.models.loading import load


def test_each_generation_says_what_it_says(project):
    make_three(project)
    exam = of_unlabelled(Path("images/test/cross"), Path("images/test/empty"))
    panel = ask(settings(), exam)
    assert [one.generation for one in panel.members] == ["gen1", "gen2", "gen3"]
    assert [one.model.name for one in panel.members] == ["gen1/iter_20", "gen2/iter_20", "gen3/iter_20"]
    assert [one.probabilities.shape for one in panel.members] == [(10, 2), (10, 3), (10, 3)]
    for one in panel.members:
        with one.model.open() as session:
            for row, picture in zip(one.probabilities, panel.pictures, strict=True):
                computed = one.model.forward(session, [one.model.read(Path(picture.path))])
                np.testing.assert_allclose(row, computed["prob"][0], rtol=1e-4)
    first, *_, last = panel.members
    assert column(last, ["empty", "circle"]) == [2, 0]
    assert column(first, ["empty", "circle"]) == [0]


def test_what_one_could_not_read_is_left_out_for_all(project):
    make_three(project)
    folder = project / "pile"
    folder.mkdir()
    for name in ("1", "2", "3"):
        (folder / f"{name}.png").write_bytes(Path(f"images/test/cross/{name}.png").read_bytes())
    (folder / "4.png").write_bytes(b"")
    panel = ask(settings(), of_unlabelled(folder))
    assert [Path(one.path).name for one in panel.pictures] == ["1.png", "2.png", "3.png"]
    assert [one.path.name for one in panel.skipped] == ["4.png"]


def test_up_to_a_generation_and_without_damaged_ones(project, caplog):
    first, second, _ = make_three(project)
    exam = of_unlabelled(Path("images/test/cross"))
    assert [one.generation for one in ask(settings(), exam, number=2).members] == ["gen1", "gen2"]
    (second.snapshots / "small_iter_20.caffemodel").write_bytes(b"damaged")
    caplog.set_level(logging.WARNING)
    panel = ask(settings(), exam)
    assert [one.generation for one in panel.members] == ["gen1", "gen3"]
    assert panel.newest.generation == "gen3"
    assert "gen2 is ignored" in caplog.text
    first.write(structs.replace(first.read(), snapshots=()))
    with pytest.raises(UsageError, match="no generation in generations has a snapshot") as caught:
        ask(settings(), exam, number=2)
    assert caught.value.hint == "wf train"
    assert load(settings(), snapshot="gen3/best").name == panel.newest.model.name
