"""What the commands print at 80 columns, word for word, on nets whose weights are fixed.

Numbers are compared as `#`: their last digits differ between processors. RECORD_WORDS=1 writes tests/cli/words/ anew;
read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from running import Run

RECORDED = Path(__file__).parent / "words"
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
    "whatif": f"whatif {IMAGE} --relabel images/train/circle/9.png=cross --remove images/train/cross/9.png",
    "net-show": "net show prototxt/small_deploy.prototxt",
    "prepare": "prepare",
    "no-generation": "inspect x.png --gen 9",
    "no-picture": "predict imges",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_words(name: str, three: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
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
    words = re.sub(r"\b\d{4}-\d\d-\d\d\b", "#", words)
    words = re.sub(r"(?<![\w.-])[-+]?\d[\d,]*(\.\d+)?(e[-+]\d+)?", "#", words)
    return re.sub(r" +(?=#)", " ", words)
