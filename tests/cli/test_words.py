"""What the commands print at 80 columns, word for word, on nets whose weights are fixed.

Numbers are compared as `#`: their last digits differ between processors. RECORD_WORDS=1 writes tests/cli/words/ anew;
read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from running import Run, run_wf
from three_generations import make_three

RECORDED = Path(__file__).parent / "words"
SETTINGS = """
preprocessing: {width: 8, height: 9}
train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt}
"""
IMAGE = "images/test/circle/1.png"
COMMANDS = {
    "live": "live",
    "log": "log --out drawn",
    "diff": "diff gen1 gen3 --out drawn",
    "blame": f"blame {IMAGE}",
    "inspect": f"inspect {IMAGE} --blobs conv --out drawn",
    "predict": f"predict {IMAGE} images/test/cross/1.png",
    "evaluate": "evaluate --out drawn",
    "mistakes": "mistakes --out drawn",
    "why": f"why {IMAGE} --nearest 3 --out drawn",
    "junk": "junk images/train/empty --class circle --out drawn",
    "next": "next images/train/empty --count 2 --out drawn",
    "suspects": "suspects --top 3 --out drawn",
    "net-show": "net show prototxt/small_deploy.prototxt",
    "prepare": "prepare",
    "no-generation": "inspect x.png --gen 9",
    "no-picture": "predict imges",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_three(folder)
    (folder / "configs").mkdir()
    (folder / "configs" / "default.yaml").write_text(SETTINGS)
    return folder


@pytest.fixture
def three(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("COLUMNS", "80")
    return run_wf


@pytest.mark.parametrize("name", COMMANDS)
def test_words(name: str, three: Run) -> None:
    ran = three(*COMMANDS[name].split(), code=None)
    words = f"$ wf {COMMANDS[name]}\n{ran.out}{ran.err}exit code {ran.code}\n"
    tables = [line for line in words.splitlines() if "  " in line.strip()]  # a terminal wraps sentences
    assert [line for line in tables if len(line) > 80] == []
    told = "\n".join(line.rstrip() for line in _without_numbers(words).splitlines()) + "\n"
    file = RECORDED / f"{name}.txt"
    if "RECORD_WORDS" in os.environ:
        RECORDED.mkdir(exist_ok=True)
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")


def _without_numbers(words: str) -> str:
    """Numbers as `#`, and as many blanks before them in a table as there always are: one."""
    words = re.sub(r"-[0-9a-f]{8}\b", "-#", words)  # of a picture's bytes
    words = re.sub(r"(?<![\w.-])[-+]?\d[\d,]*(\.\d+)?(e[-+]\d+)?", "#", words)
    return re.sub(r" +(?=#)", " ", words)
