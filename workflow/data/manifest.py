r"""images.jsonl: one line a picture, those of train, validation and test in turn, then one a skipped file.

    {"path": "images/cat/1.png", "sha256": "9f86…", "class": "cat", "split": "train", "crc32": 907060870}
    {"path": "images/cat/2.png", "reason": "is truncated"}

Line k of a split is record k of its database; crc32 is that of the record's value. Paths are as the user's folders
gave them, relative to the project folder where they are below it; bytes that are not UTF-8 are written as lone
surrogates (`\udce9`), newlines as `\n`: one line stays one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TextIO

from workflow.data.scan import Skipped
from workflow.errors import DataError
from workflow.generations import Generation


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A picture that became a record."""

    path: str
    """As it can be opened."""
    sha256: str
    class_name: str
    split: str
    crc32: int | None = None


def image_line(path: str, sha256: str, class_name: str, split: str, crc32: int) -> str:
    """The line of a picture, with its newline; `path` is relative to the project folder if it is below it."""
    return (
        f'{{"path": {json.dumps(path)}, "sha256": "{sha256}", "class": {_quoted(class_name)}, '
        f'"split": "{split}", "crc32": {crc32}}}\n'
    )


@lru_cache
def _quoted(name: str) -> str:
    return json.dumps(name)


def write_skipped(file: TextIO, generation: Generation, skipped: list[Skipped]) -> None:
    """The lines of the files that were skipped, by path."""
    for path, reason in sorted((generation.recorded(one.path), one.reason) for one in skipped):
        file.write(json.dumps({"path": path, "reason": reason}) + "\n")


def read(generation: Generation, split: str | None = None) -> Iterator[Image]:
    """The pictures of a generation's manifest, in order; skipped files are left out.

    Args:
        generation: whose manifest; paths in it are made such that they can be opened, wherever its project is.
        split: `train`, `validation` or `test`: only its pictures; lines of others are not parsed.

    Raises:
        DataError: the file is missing or a line is not valid; the message names it.
    """
    path = generation.manifest
    word = json.dumps(split)  # a quote within a JSON string has a backslash before it, so no path looks like this word
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if split is not None and word not in line:
                    continue
                image = _image(generation, number, line)
                if image is not None and split in (None, image.split):
                    yield image
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", hint=_HINT) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8", hint=_HINT) from error


_HINT = "copy it back; if it is lost, remove it: the next wf prepare then chooses the test pictures again"


def _image(generation: Generation, number: int, line: str) -> Image | None:
    try:
        facts = json.loads(line)
        if "reason" in facts:
            return None
        return Image(
            path=generation.located(facts["path"]),
            sha256=facts["sha256"],
            class_name=facts["class"],
            split=facts["split"],
            crc32=facts.get("crc32"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"line {number} of {generation.manifest} is damaged ({error})", hint=_HINT) from error
