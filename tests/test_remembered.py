from __future__ import annotations

import os
from pathlib import Path

import pytest

from workflow.remembered import remembered


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled by `answer`; the cache is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return []


def answer(asked: list[str], *files: Path, given: object = (1, "ü")) -> object:
    def find() -> object:
        asked.append("find")
        return given if given is None else list(given)  # type: ignore[call-overload]

    return remembered("answer", files, find)


def test_an_answer_is_found_once(tmp_path: Path, asked: list[str]) -> None:
    basis = tmp_path / "library.so"
    basis.write_text("1")
    assert answer(asked, basis) == answer(asked, basis) == [1, "ü"]
    assert asked == ["find"]


@pytest.mark.parametrize("change", ["content", "gone", "more", "time"])
def test_it_is_found_again_when_a_file_changed(tmp_path: Path, asked: list[str], change: str) -> None:
    basis = tmp_path / "library.so"
    basis.write_text("1")
    answer(asked, basis)
    if change == "content":
        basis.write_text("22")
    elif change == "gone":
        basis.unlink()
    elif change == "time":
        os.utime(basis, (1, 1))
    answer(asked, basis, *([tmp_path] if change == "more" else []))
    assert len(asked) == 2


def test_no_answer_and_no_file_are_not_kept(tmp_path: Path, asked: list[str]) -> None:
    assert answer(asked, tmp_path, given=None) is answer(asked, tmp_path, given=None) is None
    answer(asked)
    answer(asked)
    assert len(asked) == 4


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"basis": 1}', b"\xff"])
def test_a_damaged_cache_is_written_again(tmp_path: Path, asked: list[str], damaged: bytes) -> None:
    answer(asked, tmp_path.parent)
    (tmp_path / "cache/wf/answer.json").write_bytes(damaged)
    assert answer(asked, tmp_path.parent) == answer(asked, tmp_path.parent) == [1, "ü"]
    assert len(asked) == 2


def test_a_cache_that_cannot_be_written(tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "cache").write_text("a file")
    assert answer(asked, tmp_path.parent) == answer(asked, tmp_path.parent) == [1, "ü"]
    assert len(asked) == 2
