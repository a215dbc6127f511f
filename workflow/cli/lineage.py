"""What `wf film --generations` is told, and what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.cli.table import table

if TYPE_CHECKING:
    from workflow.interpretation.activations.generations_film import Lineage

_CLASSES = 5


def numbers(text: str) -> list[int] | None:
    """`4,5` as numbers; None for `all`.

    Raises:
        UsageError: it is neither.
    """
    from workflow.errors import UsageError  # pydantic's neighbour, which --help does not need

    if text.strip() == "all":
        return None
    if not re.fullmatch(r"\s*(gen)?\d+\s*(,\s*(gen)?\d+\s*)*", text):
        raise UsageError(f"--generations '{text}' is no list of generations", hint="--generations 4,5 or all")
    return [int(number) for number in re.findall(r"\d+", text)]


def describe(found: Lineage, paths: dict[str, Path]) -> str:
    """The probabilities, how many channels of each blob were found again, those that never were, and the files."""
    newest = f"gen{found.reference.generation}"
    blocks = [[f"{found.image} through {len(found.columns)} generations", *_probabilities(found)]]
    if found.without:
        blocks[0].append(f"without a snapshot: {', '.join(found.without)}")
    maps = [blob for blob in found.maps if blob not in found.named]
    if maps:
        rows = [["matched in", *(f"gen{one.generation}" for one in found.columns[:-1])]]
        rows += [
            [f"{newest} {blob}", *(_count(found, blob, place) for place in range(len(rows[0]) - 1))] for blob in maps
        ]
        lines = [line for blob in maps for line in _channels(found, blob)]
        blocks.append([*table(rows), *lines])
        blocks[-1].append(f"matched by {found.pictures:,} test pictures of {newest}")
        if found.left_out:
            blocks[-1].append(f"left out {len(found.left_out):,} that are not there any more as they were prepared")
    absent = _absent(found)
    blocks += [absent] if absent else []
    blocks.append([f"{name:5}  {path}" for name, path in paths.items()])
    return "\n\n".join("\n".join(block) for block in blocks)


def _probabilities(found: Lineage) -> list[str]:
    known = found.reference.probabilities
    order = sorted(found.classes, key=lambda name: -known.get(name, 0.0))[:_CLASSES]
    rows = [["snapshot", *order]]
    rows += [
        [one.snapshot, *(f"{one.probabilities[name]:.4f}" if name in one.probabilities else "-" for name in order)]
        for one in found.columns
    ]
    return table(rows)


def _count(found: Lineage, blob: str, place: int) -> str:
    matches = found.matches[blob][place]
    if matches[0].reason in ("no blob", "other size"):
        return str(matches[0].reason)
    return f"{sum(one.channel is not None for one in matches)} of {len(matches)}"


def _channels(found: Lineage, blob: str) -> list[str]:
    """The channels that no generation has, and those that never vary; those of some generations are in the table."""
    columns = list(zip(*found.matches[blob], strict=True))  # for each channel, its match in each generation
    constant = [number for number, each in enumerate(columns) if all(one.reason == "constant" for one in each)]
    alone = [
        number
        for number, each in enumerate(columns)
        if all(one.channel is None for one in each) and number not in constant
    ]
    lines = []
    if alone and len(alone) < len(columns):
        lines.append(f"{blob}: unmatched everywhere: {_ranges(alone)}")
    elif alone:
        lines.append(f"{blob}: no channel is matched anywhere")
    if constant:
        lines.append(f"{blob}: never varies, so that nothing is like it: {_ranges(constant)}")
    return lines


def _absent(found: Lineage) -> list[str]:
    """Classes that some generation does not know."""
    lines = []
    for name in found.classes:
        without = [f"gen{one.generation}" for one in found.columns if name not in one.classes]
        if without:
            lines.append(f"class '{name}' is absent in {', '.join(without)}")
    return lines


def _ranges(given: list[int]) -> str:
    """0-3, 7, 9-11."""
    parts: list[list[int]] = []
    for number in given:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in parts)
