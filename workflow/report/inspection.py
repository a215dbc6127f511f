"""What the net sees in one picture, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.exams.activity import Silent
    from workflow.interpretation.activations.inspect import Inspection


def describe(one: Inspection, silent: Mapping[str, Silent] | None = None) -> str:
    """Shapes, probabilities and pictures of one image, in columns; what shows nothing, and channels that never do."""
    width = max(len(name) for name in [*one.blobs, *one.probabilities])
    lines = [f"{one.image} as {one.snapshot} sees it"]
    lines += [f"  {name:{width}}  {shape}" for name, shape in one.blobs.items()]
    if one.probabilities:
        lines.append("probabilities")
        likely = sorted(one.probabilities.items(), key=lambda pair: -pair[1])[:10]
        lines += [f"  {name:{width}}  {share:.4f}" for name, share in likely]
    if one.class_map is not None:
        height, across = one.class_map.best.shape
        lines.append(f"class map ({one.class_map.blob}, {height}×{across} places)")
        lines += [
            f"  {name:{width}}  {share:.1%} of the places" for name, share in [*one.class_map.shares.items()][:10]
        ]
    if one.not_drawn:
        lines.append(f"not drawn (--blobs A,B draws them): {', '.join(one.not_drawn)}")
    if one.pictures:
        lines.append("pictures")
        lines += [f"  {name:{width}}  {path}" for name, path in one.pictures.items()]
    lines += [f"{name} is {value:.4g} throughout: its picture shows nothing" for name, value in one.flat.items()]
    dead = {name: (silent or {})[name] for name in one.pictures if name in (silent or {})}
    lines += [f"{name}: {facts.words}" for name, facts in dead.items() if facts.silent]
    return "\n".join(lines)
