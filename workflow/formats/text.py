"""Text files that users write: UTF-8 with or without a byte order mark, or UTF-16 or UTF-32 with one."""

from __future__ import annotations

import codecs
from pathlib import Path

from workflow.errors import Location, WorkflowError

# the longer marks first: that of UTF-32 begins as that of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# (name, Python's codec, characters that a text in it has), in groups; the first group of which one fits is named
_GUESSES = (
    (("Shift-JIS", "cp932", "\u3040-\u30ff"),),
    (("EUC-JP", "euc_jp", "\u3040-\u30ff"),),
    (("EUC-KR", "cp949", "\uac00-\ud7a3"), ("GB18030", "gb18030", "\u4e00-\u9fff")),
    (("Windows-1252", "cp1252", "\u00c0-\u024f"),),
)


def decode(data: bytes, path: Path | str, *, error: type[WorkflowError], fault: str = "") -> str:
    """The text of a file.

    Args:
        data: the file's bytes.
        path: for the message.
        error: what to raise.
        fault: row of the catalogue of faults.

    Raises:
        WorkflowError: of the class `error`: it is in another encoding, or is no text; says which, and where.
    """
    encoding = _marked(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as reason:
        before = bytes(reason.object)[: reason.start]
        line, column = before.count(b"\n") + 1, reason.start - before.rfind(b"\n")
        at = Location(path=path, line=line, column=column)
        guesses = _guesses(data) if encoding == "utf-8" else []
        if not guesses:
            hint = "is this a binary file?" if b"\0" in data else "save it as UTF-8"
            raise error(f"{path} is not UTF-8 text", at=at, hint=hint, fault=fault) from None
        message = f"{path} is not UTF-8 text, but looks like {' or '.join(guesses)}"
        hint = f"save it as UTF-8: iconv -f {guesses[0].upper()} -t UTF-8 {path}"
        raise error(message, at=at, hint=hint, fault=fault) from None


def decode_names(data: bytes) -> str:
    """The text of a list of files: names are bytes, and those that are not UTF-8 become lone surrogates."""
    return data.decode(_marked(data), "surrogateescape" if _marked(data).startswith("utf-8") else "replace")


def _marked(data: bytes) -> str:
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")


def _guesses(data: bytes) -> list[str]:
    """The encodings that a text may be in, as far as its letters tell."""
    if b"\0" in data:
        return []
    fitting = ([name for name, codec, letters in group if _has(data, codec, letters)] for group in _GUESSES)
    return next((names for names in fitting if names), [])


def _has(data: bytes, codec: str, letters: str) -> bool:
    try:
        return any(letters[0] <= char <= letters[2] for char in data.decode(codec))
    except UnicodeDecodeError:
        return False
