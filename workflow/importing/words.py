"""An import in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.importing import ImportResult


def describe(result: ImportResult) -> str:
    """What was found, and what to do with it."""
    size = "×".join(map(str, result.shape))
    number = result.generation
    width = max(map(len, result.sources))
    lines = [f"generation {number}: {result.train:,} train and {result.test:,} test records of {size}"]
    lines[0] += f", {result.channel_order}, {len(result.classes)} classes"
    lines += [f"  {part:{width}}  {path}" for part, path in result.sources.items()]
    if "mean" not in result.sources:
        lines.append("the mean was computed from the training records")
    if "labels" not in result.sources:
        lines.append("class names not found, so numbers are used; --labels FILE names the classes")
    if result.pictures < result.train + result.test:
        lines.append(f"picture files found for {result.pictures:,} of {result.train + result.test:,} records")
    if result.snapshots:
        known = ", ".join(f"iter_{one}" for one in result.snapshots)
        lines += [f"snapshots: {known}", f"wf evaluate --gen {number}"]
    else:
        lines.append(f"wf train --gen {number} trains this project's net on it")
    if "solver" in result.sources and "training net" in result.sources:
        lines.append(
            f"to train the imported one, set train.solver and train.deploy in configs/ to {result.folder}/prototxt/"
            "solver.prototxt and deploy.prototxt"
        )
    return "\n".join(lines)
