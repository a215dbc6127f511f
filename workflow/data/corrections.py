"""Corrected labels, stored as patches beside the generations and applied by every preparation; files are not touched.

    corrections/001.jsonl          {"sha256": "9f86…", "path": "images/cat/7.png", "from": "cat", "to": "dog"}
                                   {"sha256": "60d3…", "path": "images/cat/8.png", "from": "cat", "remove": true}
                                   {"sha256": "a4e6…", "path": "images/cat/9.png", "from": "cat", "refused": "dog"}
    corrections/002.undone.jsonl   a patch that was undone; its number is not used again

A picture is known by its bytes, not its folder; `path` is for the reader only. Patches are applied in their order. A
line holds for a picture that has the class `from` at that point: when its owner has moved the file to another folder
since, the folder wins. Of several lines about the same picture and the same `from`, the last holds. An empty `from`
is a picture outside the class folders: it is not wanted as a new picture of the class `refused`, nor of any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow.errors import DataError, Location, UsageError
from workflow.formats.text import decode
from workflow.storage import create

_NAME = re.compile(r"(\d+)(\.undone)?\.jsonl")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Correction:
    """The decision about a picture."""

    sha256: str
    path: str
    label: str
    """The class that it had: `from`; empty for a picture that had none."""
    to: str | None = None
    """The class that it has now."""
    remove: bool = False
    """Whether the picture is left out."""
    refused: str | None = None
    """The class that was suggested and turned down: the label stays."""

    def line(self) -> str:
        """As it is written, with its newline."""
        facts: dict[str, object] = {"sha256": self.sha256, "path": self.path, "from": self.label}
        if self.remove:
            facts["remove"] = True
        else:
            facts |= {"refused": self.refused} if self.to is None else {"to": self.to}
        return json.dumps(facts) + "\n"


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A file of corrections."""

    number: int
    path: Path
    corrections: tuple[Correction, ...]

    @property
    def name(self) -> str:
        """`001`."""
        return f"{self.number:03}"


@dataclass(frozen=True, kw_only=True)
class Undone:
    """A patch that was undone."""

    number: int
    path: Path
    """Its current place."""
    count: int
    """Lines that it has."""

    @property
    def name(self) -> str:
        """`001`."""
        return f"{self.number:03}"


def folder(generations: Path) -> Path:
    """The folder of the patches: corrections/, beside the folder of the generations."""
    return generations.parent / "corrections"


def patches(generations: Path) -> tuple[Patch, ...]:
    """The patches in force, in order.

    Raises:
        DataError: a line is not a correction.
    """
    return tuple(
        Patch(number=number, path=path, corrections=tuple(_read(path)))
        for number, undone, path in _files(generations)
        if not undone
    )


def undone(generations: Path) -> frozenset[int]:
    """The numbers of the patches that were undone."""
    return frozenset(number for number, undone, _ in _files(generations) if undone)


def add(generations: Path, corrections: Iterable[Correction]) -> Patch:
    """Write the next patch.

    Raises:
        OSError: as the operating system says it.
    """
    made = tuple(corrections)
    data = "".join(one.line() for one in made).encode()
    folder(generations).mkdir(parents=True, exist_ok=True)
    while True:  # another process may take the number first
        number = max((number for number, _, _ in _files(generations)), default=0) + 1
        path = folder(generations) / f"{number:03}.jsonl"
        try:
            create(path, data)
        except FileExistsError:
            continue
        if not _undone(path).exists():
            return Patch(number=number, path=path, corrections=made)
        path.unlink()  # the number was used, and its patch undone, in between


def undo(generations: Path, number: int | None = None) -> Undone:
    """Undo a patch, even a damaged one; None is the newest.

    Raises:
        UsageError: there is no such patch.
        OSError: as the operating system says it.
    """
    while True:
        held = {count: path for count, undone, path in _files(generations) if not undone}
        chosen = max(held, default=None) if number is None else number
        if chosen not in held:
            known = ", ".join(f"{one:03}" for one in held) or "none"
            what = "nothing to undo" if number is None else f"no patch {number:03}"
            raise UsageError(f"{what} in {folder(generations)} (patches: {known})")
        path = held[chosen]
        try:
            lines = path.read_bytes().splitlines()
            path.rename(target := _undone(path))
        except FileNotFoundError:  # another process has just undone it
            continue
        return Undone(number=chosen, path=target, count=sum(bool(line.strip()) for line in lines))


def in_force(held: Sequence[Patch]) -> dict[str, list[tuple[Patch, Correction]]]:
    """sha256 -> the corrections in force for it, in order, each with its patch."""
    steps: dict[str, dict[str, tuple[Patch, Correction]]] = {}
    for patch in held:
        for one in patch.corrections:
            of_picture = steps.setdefault(one.sha256, {})
            of_picture.pop(one.label, None)  # the last one holds, in its own place
            of_picture[one.label] = patch, one
    return {sha256: list(of_picture.values()) for sha256, of_picture in steps.items()}


def unwanted(held: Sequence[Patch]) -> set[str]:
    """sha256 of the pictures that are not to be labelled."""
    return {one.sha256 for patch in held for one in patch.corrections if not one.label}


def decided(held: Sequence[Patch]) -> set[tuple[str, str]]:
    """(sha256, class) of all pictures whose label under that class has been decided: changed, removed or kept."""
    pairs = set()
    for patch in held:
        for one in patch.corrections:
            pairs.add((one.sha256, one.label))
            if one.to is not None:
                pairs.add((one.sha256, one.to))
    return pairs


def _undone(path: Path) -> Path:
    """The name of a patch once it is undone."""
    return path.with_name(f"{path.stem}.undone.jsonl")


def _files(generations: Path) -> list[tuple[int, bool, Path]]:
    """Number, whether it was undone, and path of each patch, by number."""
    place = folder(generations)
    if not place.is_dir():
        return []
    found = [(match, path) for path in place.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted((int(match[1]), match[2] is not None, path) for match, path in found)


def _read(path: Path) -> Iterator[Correction]:
    try:
        lines = decode(path.read_bytes(), path, error=DataError).splitlines()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error}", at=path) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _correction(line, Location(path=path, line=number))


def _correction(line: str, at: Location) -> Correction:
    try:
        facts = json.loads(line)
        one = Correction(
            sha256=facts["sha256"],
            path=str(facts.get("path", "")),
            label=facts["from"],
            to=facts.get("to"),
            remove=facts.get("remove", False),
            refused=facts.get("refused"),
        )
        whole = _DIGEST.fullmatch(one.sha256) and isinstance(one.label, str) and isinstance(one.to, str | None)
        actions = [one.to is not None, one.remove is True, one.refused is not None]
        reason = "" if whole and sum(actions) == 1 else "expected sha256, from, and one of to, remove, refused"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason:
        raise DataError(
            f"not a correction: {reason}",
            at=at,
            hint=f"correct the line, or wf suspects --undo {int(Path(at.path).stem)}",
        )
    return one
