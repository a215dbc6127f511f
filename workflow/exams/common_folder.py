"""The folder that all shares of a work see: on a disk, or below an address in an object store."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from workflow.cluster.receipt import Receipt, result_path
from workflow.data.sources import objects
from workflow.errors import UsageError
from workflow.paths import PathOrAddress
from workflow.storage import create

_FACTS, _PARTS = "share.json", "parts"


class CommonFolder(Protocol):
    """Results of parts by their numbers, each whole from the moment that its name is there."""

    name: str
    """Of the parts, for messages."""

    def create(self, data: bytes) -> bytes:
        """Write what all shares agree on, if nobody has yet; gives what is there then."""

    def numbers(self) -> set[int]:
        """The parts that are there."""

    @contextmanager
    def working(self) -> Iterator[Path]:
        """The folder in which a crew makes results."""

    def keep(self, receipt: Receipt) -> None:
        """Take a result out of that folder."""

    @contextmanager
    def result(self, number: int) -> Iterator[Path]:
        """The file with the result of a part."""


def common_folder(out: PathOrAddress) -> CommonFolder:
    """The folder of that name; it is made.

    Raises:
        UsageError: P42, the address is not one that is read.
        OSError: it cannot be made.
    """
    return _Objects(objects.checked(out)) if isinstance(out, str) else _Disk(out)


def agree(folder: CommonFolder, facts: dict[str, Any], out: PathOrAddress) -> None:
    """Say in the folder which pictures and which snapshot it is for, or find that it says the same.

    Raises:
        UsageError: it says something else.
    """
    if json.loads(folder.create((json.dumps(facts, indent=2) + "\n").encode())) != facts:
        raise UsageError(
            f"{out} holds answers about other pictures, of another snapshot or with other options",
            hint="name another folder with --out; a picture that was changed meanwhile counts as another",
        )


class _Disk:
    def __init__(self, out: Path) -> None:
        self._out, self._parts = out, out / _PARTS
        self._parts.mkdir(parents=True, exist_ok=True)
        self.name = str(self._parts)

    def create(self, data: bytes) -> bytes:
        path = self._out / _FACTS
        try:
            create(path, data)
        except FileExistsError:
            return path.read_bytes()
        return data

    def numbers(self) -> set[int]:
        return _numbers(path.name for path in self._parts.iterdir())

    @contextmanager
    def working(self) -> Iterator[Path]:
        yield self._parts

    def keep(self, receipt: Receipt) -> None:
        """It is where it belongs."""

    @contextmanager
    def result(self, number: int) -> Iterator[Path]:
        yield result_path(self._parts, number)


class _Objects:
    def __init__(self, out: str) -> None:
        self._out = out
        self.name = f"{out}/{_PARTS}"

    def create(self, data: bytes) -> bytes:
        address = f"{self._out}/{_FACTS}"
        return data if objects.create(address, data) else objects.read(address)

    def numbers(self) -> set[int]:
        return _numbers(name for name, _ in objects.listed(self.name, empty=True))

    @contextmanager
    def working(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="wf-share-") as folder:
            yield Path(folder)

    def keep(self, receipt: Receipt) -> None:
        """In one request, so that no part of it is ever seen."""
        objects.write(f"{self.name}/{receipt.path.name}", receipt.path.read_bytes())
        receipt.path.unlink()

    @contextmanager
    def result(self, number: int) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="wf-share-") as folder:
            path = result_path(Path(folder), number)
            path.write_bytes(objects.read(f"{self.name}/{path.name}"))
            yield path


def _numbers(names: Iterator[str]) -> set[int]:
    found = (name.removeprefix("part-") for name in names if name.startswith("part-"))
    return {int(number) for number in found if number.isdecimal()}
