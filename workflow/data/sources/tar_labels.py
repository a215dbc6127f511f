"""Labels of pictures in a tar, as WebDataset has them: in members of the same name that end in `.cls` or `.json`.

    0001.jpg  0001.cls     the whole text is the label: a class's name, or its number
    0001.jpg  0001.json    {"label": "dog"}, or a number

A `.cls` counts before a `.json`.
"""

from __future__ import annotations

import msgspec

from workflow.data.sources.tars import Tar, key

_MOST = 2**20  # bytes


class BadLabel(str):
    """Why there is no label, worded to follow a picture's name."""

    __slots__ = ()


class _Facts(msgspec.Struct):
    label: str | int


def labels(tar: Tar) -> dict[str, str]:
    """The label of each picture, by `tars.key` of its name; a `BadLabel` where it cannot be read.

    Raises:
        DataError, OSError: as of `Tar.open`.
    """
    found: dict[str, str] = {}
    with tar.open() as read:
        for name, member in tar.members.items():
            if not name.lower().endswith((".cls", ".json")):
                continue
            picture = key(name)
            ending = name[len(picture) :].lower()
            if ending == ".cls" or (ending == ".json" and picture not in found):
                label = _label(name, ending, read(member) if member.size <= _MOST else None)
                if label is not None:
                    found[picture] = label
    return found


def _label(name: str, ending: str, data: bytes | None) -> str | None:
    """None for a JSON that says other things."""
    if data is None:
        return BadLabel(f"has no label: {name} has more than {_MOST:,} bytes")
    if ending == ".json":
        try:
            facts = msgspec.json.decode(data)
            if not isinstance(facts, dict) or "label" not in facts:
                return None
            return str(msgspec.convert(facts, _Facts).label)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return BadLabel(f"has no label: {name} cannot be read ({error})")
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return BadLabel(f"has no label: {name} is not text in UTF-8")
    return text or BadLabel(f"has no label: {name} is empty")
