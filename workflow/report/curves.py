"""curves.png: loss and accuracy of a run against its iterations, from logs/metrics.jsonl.

Every test pass of test net 0 is a point; every training step is part of a pale line, under a smoothed one.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from workflow.report.canvas import save_png
from workflow.report.chart import Panel, write_title

_SIZE, _ABOVE, _BELOW = (990, 715), (90, 50, 970, 345), (90, 360, 970, 655)  # pixels; left, top, right, bottom
_BLUE, _RED = "#2f6fb0", "#d1495b"
_PALE = 0.25  # of the colour
_SMOOTH = 50  # the smoothed line averages over a fiftieth of the steps
_POINTS = 4000  # more steps than this are thinned out: the picture has fewer pixels than that


@dataclass(kw_only=True)
class Metrics:
    """The content of metrics.jsonl, as pairs of (iteration, number)."""

    loss: list[tuple[int, float]] = field(default_factory=list)
    """Loss of each training step."""
    split: str = "test"
    """The pictures of the test passes: `validation` or `test`."""
    test_loss: list[tuple[int, float]] = field(default_factory=list)
    accuracy: list[tuple[int, float]] = field(default_factory=list)
    """Accuracy of each test pass, 0..1."""

    @property
    def best(self) -> tuple[int, float, float | None] | None:
        """(iteration, accuracy, test loss) of the best test pass; that of the untrained net is none.

        Ties go to the lower loss, then to fewer iterations, as for `Record.best`.
        """
        losses = dict(self.test_loss)
        passes = [(iteration, accuracy, losses.get(iteration)) for iteration, accuracy in self.accuracy if iteration]
        return max(passes, key=lambda one: (one[1], -(math.inf if one[2] is None else one[2]), -one[0]), default=None)

    @property
    def iterations(self) -> int:
        """Updates of the weights so far: step k is the one that makes them k + 1."""
        tests = [pairs[-1][0] for pairs in (self.test_loss, self.accuracy) if pairs]
        return max([*tests, *(iteration + 1 for iteration, _ in self.loss[-1:])], default=0)


def draw_curves(metrics: Path, out: Path) -> None:
    """Draw the curves of a run, finished or going on; the picture replaces an older one in one step.

    Args:
        metrics: lines `{"kind": "step", "iteration": k, "loss": x, "rate": r}` and
            `{"kind": "test", "iteration": k, "net": 0, "accuracy": a, "loss": l}`, or of kind `validation`; a
            half-written last line is ignored, as are numbers that are not finite.
        out: the PNG to write.

    Raises:
        OSError: as the operating system says it.
    """
    found = read_metrics(metrics)
    last = found.iterations
    across = (0, max(last, 1) * 1.01)
    picture = Image.new("RGB", _SIZE, "white")
    _draw_loss(Panel(picture, _ABOVE, across, (0, _highest(found))), found)
    _draw_accuracy(Panel(picture, _BELOW, across, _span(found.accuracy) if found.accuracy else (0, 1)), found)
    write_title(picture, f"{_generation(metrics)}{last:,} iterations")
    out.parent.stat()  # the folder of a run that was deleted meanwhile is not made again
    save_png(picture, out)


def read_metrics(path: Path) -> Metrics:
    """The numbers of a metrics.jsonl, in the order of their iterations."""
    found = Metrics()
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
            kind, iteration = row["kind"], int(row["iteration"])
        except (ValueError, KeyError, TypeError):
            continue  # the half-written line of a running training
        if kind == "step":
            _take(found.loss, iteration, row.get("loss"))
        elif kind in ("validation", "test") and row.get("net", 0) == 0:
            found.split = kind
            _take(found.test_loss, iteration, _first(row, "loss"))
            _take(found.accuracy, iteration, _first(row, "accuracy"))
    for pairs in (found.loss, found.test_loss, found.accuracy):
        pairs.sort()
    return found


def smoothed(values: list[float], width: int) -> list[float]:
    """Means over up to `width` values before and including each one: what was known at that iteration."""
    means, total = [], 0.0
    for index, value in enumerate(values):
        total += value - (values[index - width] if index >= width else 0.0)
        means.append(total / min(index + 1, width))
    return means


def _highest(found: Metrics) -> float:
    """Of the axis of losses."""
    return 1.1 * max((loss for _, loss in found.loss + found.test_loss), default=1.0) or 1.0


def _draw_loss(panel: Panel, found: Metrics) -> None:
    named = []
    if found.loss:
        iterations, losses = zip(*found.loss, strict=True)
        every = max(1, len(losses) // _POINTS)
        panel.line(found.loss[::every], _BLUE, width=1, share=_PALE)
        width = max(2, len(losses) // _SMOOTH)
        mean = smoothed(list(losses), width)
        panel.line(list(zip(iterations, mean, strict=True))[::every], _BLUE)
        named = [("training, each step", _BLUE, _PALE), (f"training, mean of {width} steps", _BLUE, 1.0)]
    if found.test_loss:
        panel.line(found.test_loss, _RED, dots=True)
        named.append((found.split, _RED, 1.0))
    panel.legend(panel.finish(label="loss (nats)"), named)


def _draw_accuracy(panel: Panel, found: Metrics) -> None:
    if found.accuracy:
        panel.line(found.accuracy, _RED, dots=True)
    pen = panel.finish(label=f"{found.split} accuracy (share right)", below="iteration (updates of the weights)")
    if not found.accuracy:
        left, top, right, bottom = _BELOW
        panel.write(pen, ((left + right) / 2, (top + bottom) / 2), "no test pass with an accuracy yet", "middle")
    if found.best is None:
        return
    iteration, accuracy, _ = found.best
    low, high = _span(found.accuracy)
    x, y = panel.place((iteration, accuracy))
    y += -16 if accuracy < low + 0.85 * (high - low) else 26  # above, or the words would leave the panel
    late = iteration > found.accuracy[-1][0] / 2
    panel.write(pen, (x, y), f"best: {accuracy:.4f} at {iteration:,}", "right" if late else "left")


def _span(accuracy: list[tuple[int, float]]) -> tuple[float, float]:
    """The accuracies to show: of all tests but those of the first tenth of the run, which are near chance.

    On an axis from 0 to 1 a run between 0.95 and 0.98 would be a flat line.
    """
    last = accuracy[-1][0]
    values = [value for iteration, value in accuracy if iteration >= last / 10]
    margin = max(0.02, 0.15 * (max(values) - min(values)))
    return max(0.0, min(values) - margin), min(1.0, max(values) + margin)


def _take(pairs: list[tuple[int, float]], iteration: int, value: Any) -> None:
    if isinstance(value, (int, float)) and math.isfinite(value):
        pairs.append((iteration, float(value)))


def _first(row: dict[str, Any], name: str) -> Any:
    """The number of the output of that name, or of the first whose name begins so."""
    return row.get(name, next((value for key, value in row.items() if key.startswith(name)), None))


def _generation(metrics: Path) -> str:
    """`gen5: ` if the file is in a generation's logs/."""
    folder = metrics.resolve().parents[1].name
    return f"{folder}: " if folder.startswith("gen") else ""
