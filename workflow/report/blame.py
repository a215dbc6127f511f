"""The history of one picture in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.words import table

if TYPE_CHECKING:
    from workflow.evaluation.picture_history import Blame, Entry


def describe(found: Blame) -> str:
    """Its life, then what the best snapshot of each generation takes it for."""
    lines = [f"{found.image}  sha256 {found.sha256[:12]}"]
    if found.brought_by is None:
        lines.append("no generation has it: nobody was trained on it")
    lines += [f"  {_event(one)}" for one in found.entries]
    if found.opinions:
        rows = []
        for one in found.opinions:
            right = {True: "right", False: "wrong", None: ""}[one.right]
            place = {"train": "trained on it", "test": "tested with it", None: "had not seen it"}[one.split]
            rows.append([one.snapshot, one.prediction.label, f"{one.prediction.probability:.4f}", right, place])
        lines += ["", *table(rows, left=(0, 1, 3, 4))]
    if found.silent:
        lines += ["", f"not asked, for want of a snapshot: {', '.join(found.silent)}"]
    return "\n".join(lines)


def _event(one: Entry) -> str:
    match one.event:
        case "added":
            return f"{one.generation} brought it in as '{one.label}', for {one.split}: {one.path}"
        case "relabelled":
            return f"{one.generation} relabelled it from '{one.before}' to '{one.label}': {one.path}"
        case "moved":
            return f"{one.generation} moved it from {one.before} to {one.split}"
        case "removed":
            return f"{one.generation} has it no more (it was '{one.before}')"
        case _:
            return f"{one.generation}: its data set is gone, so that nobody knows"
