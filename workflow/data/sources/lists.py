"""Lists of pictures in text files: one path a line, with a label behind the last space where labels are wanted.

    train/cat/1.jpg 0        as convert_imageset reads it; paths are relative to the list's folder

Caffe makes label 0 of a word that is no number, and passes over pictures that are not there. Here the one is an error
and the other is said, both with the number of the line. Lists are read line by line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workflow.data.sources import objects
from workflow.errors import DataError, Location, UsageError
from workflow.formats.files import missing

_LONGEST = 2**16  # bytes
_TOLD = 3  # further lines that are named
_BOM = b"\xef\xbb\xbf"
_LABELLED = re.compile(r"(?P<path>.*\S)\s+(?P<label>\d+)", re.DOTALL)


class Line(NamedTuple):
    """A line of a list."""

    number: int
    """From 1."""
    text: str
    """All of it; the path alone if labels are wanted."""
    label: str
    """Digits; empty where no labels are wanted."""


class Lines:
    """The lines of a list that are not blank: `for line in Lines(path, labelled=True)`.

    Args:
        path: the list.
        labelled: whether each line must have a label.

    Raises:
        UsageError: P01, there is no such file.
        OSError: it cannot be read.
        DataError: P41, behind the last line: some lines are wrong; the message names the first, and why.
    """

    def __init__(self, path: Path, *, labelled: bool) -> None:
        self.path, self._labelled = path, labelled
        self._wrong: list[tuple[int, str]] = []
        self._count = 0  # of wrong lines
        if not path.is_file():
            message, hint = missing(path) if not path.exists() else (f"{path} is not a file, expected a list", None)
            raise UsageError(message, hint=hint, fault="P01")

    def wrong(self, number: int, reason: str) -> None:
        """Say that a line is wrong; an error comes of it once all lines are read."""
        self._count += 1
        if len(self._wrong) <= _TOLD:
            self._wrong.append((number, reason))

    def reads(self, number: int, address: str) -> bool:
        """Whether an address on a line is one that is read; the line is wrong otherwise."""
        try:
            objects.checked(address)
        except UsageError as error:
            self.wrong(number, error.message)
            return False
        return True

    def __iter__(self) -> Iterator[Line]:
        with self.path.open("rb") as file:
            number = 0
            while data := file.readline(_LONGEST):
                number += 1
                if not data.endswith(b"\n") and len(data) == _LONGEST:
                    self.wrong(number, f"is longer than {_LONGEST:,} bytes")
                    while (more := file.readline(_LONGEST)) and not more.endswith(b"\n"):
                        pass
                    continue
                data = data.removeprefix(_BOM) if number == 1 else data
                if b"\0" in data:
                    self.wrong(number, "holds a zero byte, which no path does (is the list in UTF-16?)")
                elif text := os.fsdecode(data.rstrip(b"\r\n")).strip(" \t"):
                    yield from self._line(number, text)
        if self._wrong:
            (first, reason), *others = self._wrong
            further = ", ".join(str(one) for one, _ in others)
            dots = ", …" if self._count > len(self._wrong) else ""
            raise DataError(
                f"{self.path}:{first}: {reason}" + (f"; wrong, too: line {further}{dots}" if further else ""),
                at=Location(path=self.path, line=first),
                hint="correct or remove it",
                fault="P41",
            )

    def _line(self, number: int, text: str) -> Iterator[Line]:
        if not self._labelled:
            yield Line(number, text, "")
        elif match := _LABELLED.fullmatch(text):
            yield Line(number, match["path"], match["label"])
        else:
            last = text.rpartition(" ")[2]
            self.wrong(number, f"label '{last}' is not a whole number; expected 'path label'")


def without_label(text: str) -> str:
    """A line's path, where the line has a label behind it."""
    match = _LABELLED.fullmatch(text)
    return match["path"] if match else text
