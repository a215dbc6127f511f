"""Patches: written, read, taken back, and refused where they are damaged."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from workflow.data import corrections
from workflow.data.corrections import Correction, add, decided, folder, in_force, patches, undo
from workflow.errors import DataError, UsageError

ONE, TWO = "1" * 64, "2" * 64


def correction(sha256: str = ONE, **facts: object) -> Correction:
    return Correction(**{"sha256": sha256, "path": "images/cat/7.png", "label": "cat", **facts})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    root = tmp_path / "generations"
    every = (correction(to="dog"), correction(TWO, remove=True), correction(TWO, label="owl", refused="dog"))
    patch = add(root, every)
    assert patch.path == tmp_path / "corrections" / "001.jsonl"
    assert add(root, [correction(label="dog", to="cat")]).name == "002"
    first, second = patches(root)
    assert first == patch
    assert second.corrections[0].to == "cat"
    assert patches(tmp_path / "elsewhere" / "generations") == ()


def test_a_number_that_was_taken_back_is_not_given_again(tmp_path: Path) -> None:
    root = tmp_path / "generations"
    for name in ("dog", "owl", "fox"):
        add(root, [correction(to=name)])
    gone = undo(root, 2)
    assert gone.path.name == "002.undone.jsonl"
    assert gone.path.is_file()
    assert [one.number for one in patches(root)] == [1, 3]
    assert undo(root).number == 3
    assert add(root, [correction(remove=True)]).number == 4
    with pytest.raises(UsageError, match=r"no patch 003 in .*corrections \(patches: 001, 004\)"):
        undo(root, 3)
    undo(root)
    undo(root)
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(root)


def test_the_last_line_about_a_picture_and_a_class_holds(tmp_path: Path) -> None:
    root = tmp_path / "generations"
    add(root, [correction(to="dog"), correction(TWO, to="owl")])
    add(root, [correction(label="dog", to="fox"), correction(refused="dog")])
    held = in_force(patches(root))
    assert [(patch.number, one.label, one.to, one.refused) for patch, one in held[ONE]] == [
        (2, "dog", "fox", None),
        (2, "cat", None, "dog"),
    ]
    assert [one.to for _, one in held[TWO]] == ["owl"]
    assert decided(patches(root)) == {(ONE, "cat"), (ONE, "dog"), (ONE, "fox"), (TWO, "cat"), (TWO, "owl")}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"from": "cat", "to": "dog"}', "KeyError: 'sha256'"),
        (f'{{"sha256": "{ONE}", "from": "cat"}}', "one of to, remove, refused"),
        (f'{{"sha256": "{ONE}", "from": "cat", "to": "dog", "remove": true}}', "one of to, remove, refused"),
        ('{"sha256": "123", "from": "cat", "to": "dog"}', "expected sha256"),
        (f'{{"sha256": "{ONE}", "from": 3, "to": "dog"}}', "expected sha256"),
    ],
)
def test_a_line_that_is_no_correction(tmp_path: Path, line: str, reason: str) -> None:
    root = tmp_path / "generations"
    path = add(root, [correction(to="dog")]).path
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(DataError, match=reason) as caught:
        patches(root)
    assert caught.value.at is not None
    assert "001.jsonl:3" in str(caught.value)
    assert caught.value.hint is not None
    assert "wf suspects --undo 1" in caught.value.hint


def test_a_patch_that_is_no_text(tmp_path: Path) -> None:
    place = folder(tmp_path / "generations")
    place.mkdir()
    (place / "001.jsonl").write_bytes(b"\xff")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        patches(tmp_path / "generations")


def test_a_damaged_patch_can_be_taken_back(tmp_path: Path) -> None:
    root = tmp_path / "generations"
    add(root, [correction(to="dog")])
    add(root, [correction(to="owl")]).path.write_text("{")
    assert undo(root, 2).path.name == "002.undone.jsonl"
    assert [one.number for one in patches(root)] == [1]


_WRITER = """
import sys
from pathlib import Path
from workflow.data import corrections
from workflow.data.corrections import Correction, add
print(flush=True)
sys.stdin.read()
for number in range(25):
    add(Path(sys.argv[1]), [Correction(sha256="0" * 64, path=f"{sys.argv[2]}-{number}", label="cat", to="dog")])
"""


def test_several_processes_add_patches_at_once(tmp_path: Path) -> None:
    root = tmp_path / "generations"
    command = [sys.executable, "-c", _WRITER, str(root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with ExitStack() as stack:
        writers = [stack.enter_context(subprocess.Popen([*command, str(number)], **pipes)) for number in range(4)]
        for writer in writers:
            writer.stdout.readline()  # all have started
        for writer in writers:
            writer.stdin.close()
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    found = patches(root)
    assert [one.number for one in found] == list(range(1, 101))
    assert {one.corrections[0].path for one in found} == {f"{writer}-{row}" for writer in range(4) for row in range(25)}
    assert {path.suffix for path in folder(root).iterdir()} == {".jsonl"}


def test_a_number_that_was_taken_back_meanwhile_is_not_given_again(tmp_path: Path, monkeypatch) -> None:
    root = tmp_path / "generations"
    real = corrections.create

    def late(path: Path, data: bytes) -> None:
        """Another process adds a patch of that number and takes it back just before."""
        monkeypatch.setattr(corrections, "create", real)
        add(root, [correction(to="owl")])
        undo(root)
        real(path, data)

    monkeypatch.setattr(corrections, "create", late)
    assert add(root, [correction(to="dog")]).number == 2
    assert sorted(path.name for path in folder(root).iterdir()) == ["001.undone.jsonl", "002.jsonl"]
