"""The demo's steps, on fewer pictures and iterations."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from running import run_wf

from workflow.demo import steps
from workflow.errors import UsageError


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory):
    """`wf demo` with 60 pictures and 12 iterations."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(steps, "PICTURES", 60)
        patch.setattr(steps, "JUNK", 16)
        steps.set_up(Path("here"), count=60)
        solver = Path("here/prototxt/demo_solver.prototxt")
        solver.write_text(solver.read_text().replace("max_iter: 300", "max_iter: 12"))
        yield run_wf("demo", "here", "--json")


def test_json(ran) -> None:
    document = ran.json
    assert document["generation"] == 1
    assert 0 <= document["test_accuracy"] <= 1
    assert document["pictures"] == [
        "here/demo.png",
        "here/false-positive.png",
        "here/generations/gen1/logs/curves.png",
        "here/images-sheet.png",
    ]
    for path in document["pictures"]:
        with Image.open(path) as picture:
            assert picture.width > 300
    portrait, worst = document["inspections"]
    assert portrait["image"].startswith("images/character/")
    assert worst["image"] == document["junk"]["worst"]
    assert document["junk"]["pictures"] == len(list(Path("here/junk").rglob("*.png")))
    scores = run_wf("-C", "here", "predict", "junk", "--json").json["predictions"]
    assert min(scores, key=lambda one: one["probabilities"]["other"])["path"] == worst["image"]
    assert list(portrait["pictures"]) == ["conv1", "conv2", "conv3", "pool3"]


def test_a_second_run_does_nothing_twice(ran) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("here/generations").rglob("*.caffemodel")}
    again = run_wf("demo", "here")
    assert "what the net sees in these two" in again.out
    after = again.out.partition("next:\n  cd here\n")[2].splitlines()
    assert len(after) == 3
    junk, *others = (line.split("wf ", 1)[1].split() for line in after)
    run_wf("-C", "here", *junk)
    for words in others:  # what they do is tested at their own place
        run_wf("-C", "here", *words, "--help")
    assert "nothing to do" in again.err
    assert {path: path.stat().st_mtime_ns for path in Path("here/generations").rglob("*.caffemodel")} == before


def test_somebody_elses_pictures_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    with pytest.raises(UsageError, match="draws its own pictures"):
        steps.set_up(tmp_path, count=4)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_an_interrupted_drawing_leaves_no_images(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.set_up(tmp_path, count=10, progress=stop)
    assert list(tmp_path.iterdir()) == []
    steps.set_up(tmp_path, count=10)
    assert len(list((tmp_path / "images").rglob("*.png"))) == 10
