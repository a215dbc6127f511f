from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow.cluster.crew import Workers
from workflow.config import Preprocessing
from workflow.errors import DataError, UsageError
from workflow.exams import decoding
from workflow.exams.files import Files, pictures


@dataclass
class Looking:
    """What `Files` needs of a model."""

    preprocessing: Preprocessing
    max_pixels: int = 1_000_000


def batches(exam: Files, size: int) -> list[tuple[list[str], np.ndarray]]:
    looking = Looking(Preprocessing(width=4, height=4))
    return [([one.path for one in told], pixels.copy()) for told, pixels in exam.batches(looking, size)]


@pytest.fixture
def pile(tmp_path: Path) -> list[tuple[str, None]]:
    """90 pictures, each of a grey of its own, and three files that are none."""
    for number in range(90):
        Image.new("RGB", (5, 5), (number, number, number)).save(tmp_path / f"{number:02}.png")
    for number in (3, 40, 89):
        (tmp_path / f"{number:02}.png").write_bytes(b"no picture")
    return [(str(tmp_path / f"{number:02}.png"), None) for number in range(90)]


@pytest.mark.parametrize(
    "workers", [Workers(1), Workers(3), Workers(2, processes=True)], ids=["alone", "threads", "processes"]
)
def test_batches_are_full_and_in_order_whoever_decodes(
    pile: list[tuple[str, None]], workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "workers_for", lambda *_: workers)
    exam = Files(name="pile", files=pile)
    found = batches(exam, 20)
    assert [len(names) for names, _ in found] == [20, 20, 20, 20, 7]
    names = [Path(name).stem for names, _ in found for name in names]
    assert names == [f"{number:02}" for number in range(90) if number not in (3, 40, 89)]
    greys = np.concatenate([pixels for _, pixels in found])
    assert [int(one.max()) for one in greys] == [int(one.min()) for one in greys] == [int(name) for name in names]
    assert [one.path.stem for one in exam.skipped] == ["03", "40", "89"]


def test_files_and_folders_in_order(project):
    for name in ("b/2.png", "b/1.png", "b/deep/0.png", "b/.hidden", ".x/0.png", "a.png"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(b"")
    found = pictures([Path("b"), Path("a.png")])
    assert [path for path, _ in found] == ["b/1.png", "b/2.png", "b/deep/0.png", "a.png"]


def test_p01_no_such_path(project):
    (project / "images").mkdir()
    with pytest.raises(UsageError, match="imges does not exist") as caught:
        pictures([Path("imges")])
    assert caught.value.hint == "did you mean images?"
    with pytest.raises(UsageError, match="zzz does not exist") as caught:
        pictures([Path("zzz")])
    assert caught.value.hint == "check the path"  # not a list of all that lies there
    with pytest.raises(DataError, match="no files found"):
        pictures([Path("images")])
