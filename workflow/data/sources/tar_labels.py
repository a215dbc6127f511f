"""Labels of pictures in a tar, as WebDataset has them: in members of the same name that end in `.cls` or `.json`.

    0001.jpg  0001.cls     the whole text is the label: a class's name, or its number
    0001.jpg  0001.json    {"label": "dog"}, or a number

A `.cls` counts before a `.json`.
"""

from __future__ import annotations

import msgspec

from workflow.data.sources.tars import Tar, key, read_item

_MOST = 2**20  # bytes


class BadLabel(str):
    """Why there is no label, worded to follow a picture's name."""

    __slots__ = ()


class _Facts(msgspec.Struct):
    label: str | int


def labels(tar: Tar) -> dict[str, str]:
    """The label of each picture, by `tars.key` of its name; a `BadLabel` where it cannot be read.

    Raises:
        OSError: the tar has changed, or cannot be read.
    """
    found: dict[str, str] = {}
    for name in tar.members:
        picture = key(name)
        ending = name[len(picture) :].lower()
        if ending == ".cls" or (ending == ".json" and picture not in found):
            label = _label(tar, name, ending)
            if label is not None:
                found[picture] = label
    return found


def _label(tar: Tar, name: str, ending: str) -> str | None:
    """None for a JSON that says other things."""
    if tar.members[name].size > _MOST:
        return BadLabel(f"has a label of {tar.members[name].size:,} bytes in {name}")
    data, _ = read_item(tar.item(name), None)
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
