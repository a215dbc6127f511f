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
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import TextIO

import msgspec
from msgspec import Struct, structs

from workflow.data.found import Skipped
from workflow.errors import DataError
from workflow.generations import Generation


class Image(Struct, frozen=True, kw_only=True, gc=False, rename={"class_name": "class"}):
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
        f'{{"path": {encode_basestring_ascii(path)}, "sha256": "{sha256}", "class": {_quoted(class_name)}, '
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
    for images in blocks(generation, split):
        for image in images:
            if (path := generation.located(image.path)) is not image.path:
                structs.force_setattr(image, "path", path)
            yield image


def blocks(generation: Generation, split: str | None = None) -> Iterator[list[Image]]:
    """As `read`, some thousand at a time, and paths as the manifest has them."""
    path = generation.manifest
    word = json.dumps(split).encode()  # a quote within a JSON string follows a backslash: no path looks like this
    number = 1
    try:
        with path.open("rb") as file:
            while lines := file.readlines(_BLOCK):
                wanted = lines if split is None else [line for line in lines if word in line]
                try:
                    images = _decode_lines(b"".join(wanted))
                except msgspec.MsgspecError:  # a skipped file, damage, or what msgspec refuses
                    found = [_image(path, place, line) for place, line in enumerate(lines, number)]
                    images = [image for image in found if image is not None]
                yield [image for image in images if split in (None, image.split)]
                number += len(lines)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", hint=_HINT) from error


_HINT = "copy it back; if it is lost, remove it: the next wf prepare then chooses the test pictures again"
_BLOCK = 2**20  # bytes
_decoder = msgspec.json.Decoder(Image)
_decode_lines = _decoder.decode_lines


def _image(path: Path, number: int, line: bytes) -> Image | None:
    if b'"reason":' in line:
        return None
    try:
        try:
            return _decoder.decode(line)
        except msgspec.DecodeError:  # lone surrogates, which msgspec refuses
            return msgspec.convert(json.loads(line), Image)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not text in UTF-8", hint=_HINT) from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise DataError(f"line {number} of {path} is damaged ({error})", hint=_HINT) from error
