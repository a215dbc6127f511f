"""Find the line and column of fields in a prototxt, by a scan that needs no message types.

protobuf's own parser reads the values; it forgets where they stood, and it is silent or vague about brackets,
depth and what is written twice. This scan answers those questions with line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

MAX_DEPTH = 100
"""Blocks inside blocks; protobuf's binary reader has the same limit."""

_TOKEN = re.compile(
    r"""(?P<skip>[\s,;]+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<open>[{<])
      | (?P<close>[}>])
      | (?P<mark>[:\[\]])
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<number>[-+.0-9][A-Za-z0-9_.+-]*)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
# octal up to 377, hexadecimal, Unicode, or one of C's letters and marks
_ESCAPE = re.compile(r"""\\(?:[0-3][0-7]{0,2}|[4-7][0-7]?(?![0-7])|[xX][0-9A-Fa-f]|u[0-9A-Fa-f]{4}|[abfnrtv\\'"])""")
_CLOSING = {"{": "}", "<": ">"}

Step = str | int


class OutlineError(ValueError):
    """Text that cannot be a message; `offset` counts characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Entry(Struct, frozen=True, kw_only=True):
    """One `name: value` or `name { ... }`."""

    path: tuple[Step, ...]
    """Names and how many of that name came before in its block: ("layer", 3, "name", 0)."""
    offset: int
    """Offset of the name, in characters from 0."""
    value: str | None
    """A scalar as written (strings without quotes); None for a block."""


class _Block(Struct):
    path: tuple[Step, ...]
    bracket: str
    offset: int
    counts: dict[str, int] = field(default_factory=dict)
    listing: tuple[str, int] | None = None
    """The field whose `[a, b]` is being read, and where it stands."""


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both count from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def outline(text: str) -> list[Entry]:
    """Every field of a prototxt, in the order of the text.

    Raises:
        OutlineError: a bracket or string that is never closed, a bracket that was never opened, more than 100
            blocks deep; an unknown escape, or a number with '_' or a plus sign (protobuf's Python parser takes these,
            Caffe does not).
    """
    entries: list[Entry] = []
    blocks = [_Block(path=(), bracket="", offset=0)]
    name: tuple[str, int] | None = None  # the field whose value comes next, and where it stands
    for kind, word, offset in _words(text):
        block = blocks[-1]
        if kind == "open":
            # A bracket without a name is protobuf's to complain about; keep counting so that the others fit.
            path = _add(entries, block, name or block.listing or ("", offset), None)
            blocks.append(_Block(path, word, offset))
            if len(blocks) - 1 > MAX_DEPTH:
                raise OutlineError(f"nests deeper than {MAX_DEPTH}", offset)
            name = None
        elif kind == "close":
            _leave(blocks, word, offset)
            name = blocks[-1].listing
        elif word == "[":
            block.listing = name
        elif word == "]":
            block.listing = name = None
        elif kind == "word" and name is None:
            name = word, offset
        elif kind in ("word", "string", "number") and name is not None:
            _add(entries, block, name, word)
            name = block.listing
        _refuse(kind, word, offset)
    if len(blocks) > 1:
        raise OutlineError(f"'{blocks[-1].bracket}' is never closed", blocks[-1].offset)
    return entries


def join_signs(text: str) -> str:
    """The text, of the same lines, with each number right behind its minus sign: Caffe reads `- 0.5` as -0.5."""
    if not _LONE_MINUS.search(text):
        return text
    sign: int | None = None
    for kind, word, offset in list(_words(text)):
        if sign is not None and (kind == "number" or word.lower() in ("inf", "infinity", "nan")):
            text = f"{text[: sign + 1]}{word}{text[sign + 1 : offset]}{text[offset + len(word) :]}"
        sign = offset if word == "-" else None
    return text


_LONE_MINUS = re.compile(r"-[\s#]")


def _words(text: str) -> Iterator[tuple[str, str, int]]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind != "skip":
            yield kind, match[0], match.start()


def _add(entries: list[Entry], block: _Block, name: tuple[str, int], written: str | None) -> tuple[Step, ...]:
    field_name, offset = name
    count = block.counts.get(field_name, 0)
    block.counts[field_name] = count + 1
    path = (*block.path, field_name, count)
    value = written[1:-1] if written is not None and written[0] in "\"'" else written
    entries.append(Entry(path=path, offset=offset, value=value))
    return path


def _refuse(kind: str, word: str, offset: int) -> None:
    if kind == "number" and ("_" in word or word[0] == "+"):
        raise OutlineError(f"'{word}' is not a number", offset)
    if kind == "other" and word in "\"'":
        raise OutlineError("a string is never closed", offset)
    if kind == "string" and "\\" in _ESCAPE.sub("", word):
        raise OutlineError("a backslash with a character that it does not go with", offset)


def _leave(blocks: list[_Block], word: str, offset: int) -> None:
    opened = blocks.pop()
    if not opened.bracket:
        raise OutlineError(f"'{word}' closes nothing", offset)
    if _CLOSING[opened.bracket] != word:
        raise OutlineError(f"'{word}' closes '{opened.bracket}'", offset)
