"""The history of one picture in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.words import PARTS, table

if TYPE_CHECKING:
    from workflow.evaluation.picture_history import Blame, Entry


def describe(found: Blame) -> str:
    """The history of the picture, then the prediction of each generation's best snapshot."""
    lines = [f"{found.image}  sha256 {found.sha256[:12]}"]
    if found.brought_by is None:
        lines.append("it is in no generation's data set")
    lines += [f"  {_event(one)}" for one in found.entries]
    if found.opinions:
        rows = []
        for one in found.opinions:
            right = {True: "right", False: "wrong", None: ""}[one.right]
            place = "not in its data" if one.split is None else f"in its {PARTS[one.split]} set"
            rows.append([one.snapshot, one.prediction.label, f"{one.prediction.probability:.4f}", right, place])
        lines += ["", *table(rows, left=(0, 1, 3, 4))]
    if found.silent:
        lines += ["", f"without a snapshot: {', '.join(found.silent)}"]
    return "\n".join(lines)


def _event(one: Entry) -> str:
    match one.event:
        case "added":
            return f"{one.generation} added it as '{one.label}', in the {one.split} set: {one.path}"
        case "relabelled":
            return f"{one.generation} relabelled it from '{one.before}' to '{one.label}': {one.path}"
        case "moved":
            return f"{one.generation} moved it from {one.before} to {one.split}"
        case "removed":
            return f"{one.generation} removed it (it was '{one.before}')"
        case _:
            return f"{one.generation}: unknown, its data set is gone"
