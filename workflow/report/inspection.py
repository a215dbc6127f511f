"""What the net sees in one picture, in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.interpretation.activations.inspect import draw_grids

if TYPE_CHECKING:
    from workflow.config import Preprocessing
    from workflow.exams.activity import Silent
    from workflow.interpretation.activations.inspect import Inspection


def draw_inspection(one: Inspection, preprocessing: Preprocessing, folder: Path) -> dict[str, Path]:
    """Draw the grids, and the class map of a fully convolutional net.

    Args:
        one: of `inspect`, not drawn yet.
        preprocessing: the snapshot's, for the order of channels.
        folder: where to; it is made.

    Returns:
        Blob -> its grid, and `class map`.

    Raises:
        OSError: as the operating system says it.
    """
    files = draw_grids(one, folder)
    if one.class_map is not None and one.pixels is not None:
        from workflow.data.channel_order import to_rgb
        from workflow.report.canvas import snapshot_name  # matplotlib, which plain grids do not need
        from workflow.report.class_map import draw_class_map

        files["class map"] = folder / "class-map.png"
        title = f"{one.image.name} as {snapshot_name(one.snapshot)} sees it"
        draw_class_map(one.class_map, to_rgb(one.pixels, preprocessing), files["class map"], title=title)
    return files


def document(one: Inspection, pictures: Mapping[str, Path], silent: Mapping[str, Silent]) -> dict[str, Any]:
    """As `wf inspect --json` gives it for one picture."""
    facts = one.json() | ({"pictures": {name: str(path) for name, path in pictures.items()}} if pictures else {})
    return facts | ({"silent": {name: one.json() for name, one in silent.items()}} if silent else {})


def describe(
    one: Inspection, pictures: Mapping[str, Path] | None = None, silent: Mapping[str, Silent] | None = None
) -> str:
    """Shapes, probabilities and pictures of one image, in columns; constant blobs, and dead channels."""
    width = max(len(name) for name in [*one.blobs, *one.probabilities])
    lines = [f"{one.image} as {one.snapshot} sees it"]
    lines += [f"  {name:{width}}  {shape}" for name, shape in one.blobs.items()]
    if one.probabilities:
        head = "probabilities (Caffe's; not calibrated)"
        if one.calibrated:
            width = max(width, len("probabilities") - 2)
            head = f"{'probabilities':{width + 2}}    prob  calibrated"
        lines.append(head)
        likely = sorted(one.probabilities.items(), key=lambda pair: -pair[1])[:10]
        sure = {name: f"      {share:.4f}" for name, share in one.calibrated.items()}
        lines += [f"  {name:{width}}  {share:.4f}{sure.get(name, '')}" for name, share in likely]
    if one.distance is not None:
        judged = "unknown: " if one.distance > 1 else ""
        lines.append(
            f"{judged}{one.distance:.2f} times as far from the training pictures as 95 % of the validation pictures are"
        )
    if one.class_map is not None:
        height, across = one.class_map.best.shape
        lines.append(f"class map ({one.class_map.blob}, {height}×{across} places)")
        lines += [
            f"  {name:{width}}  {share:.1%} of the places" for name, share in [*one.class_map.shares.items()][:10]
        ]
    if one.not_drawn:
        lines.append(f"not drawn (--blobs A,B draws them): {', '.join(one.not_drawn)}")
    files = pictures or one.pictures
    if files:
        lines.append("pictures")
        lines += [f"  {name:{width}}  {path}" for name, path in files.items()]
    lines += [f"{name} is {value:.4g} everywhere: its picture is blank" for name, value in one.flat.items()]
    dead = {name: (silent or {})[name] for name in (one.maps or one.pictures) if name in (silent or {})}
    lines += [f"{name}: {facts.words}" for name, facts in dead.items() if facts.silent]
    return "\n".join(lines)
