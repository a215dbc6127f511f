"""The times of a net's layers as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.words import counted, table

if TYPE_CHECKING:
    from workflow.checks.layer_timing import Timing


_BAR = 20  # signs of the longest bar


def describe(found: Timing) -> str:
    """A row for each layer, with a bar for its part of the whole."""
    real = found.caffe is not None
    rows = [["layer", "type", "forward", "backward", *(["Caffe's", "backward", "ratio"] if real else [])]]
    rows[0] += [*(["numpy"] if found.numpy is not None else []), "part"]
    both = found.torch.sum(0)
    for number, (name, kind) in enumerate(found.layers):
        bar = "#" * round(_BAR * float(both[number] / max(float(both.max()), 1e-9)))
        rows.append([name, kind, *_numbers(found, number), bar])
    rows.append(["total", "", *_numbers(found, None), ""])
    head = f"{found.net}, {counted(found.batch, 'picture')}, milliseconds (median of {found.iterations} runs)"
    note = [] if real else ["real Caffe is not installed: scripts/install_caffe"]
    return "\n".join([head, *table(rows, left=(0, 1, len(rows[0]) - 1)), *note])


def _numbers(found: Timing, layer: int | None) -> list[str]:
    ours = found.torch.sum(1) if layer is None else found.torch[:, layer]
    words = [f"{value:.3f}" for value in ours]
    if found.caffe is not None:
        theirs = found.caffe.sum(1) if layer is None else found.caffe[:, layer]
        ratio = float(theirs.sum()) / max(float(ours.sum()), 1e-9)
        words += [*(f"{value:.3f}" for value in theirs), f"{ratio:.1f}x"]
    if found.numpy is not None:
        words.append(f"{found.numpy.sum() if layer is None else found.numpy[layer]:.3f}")
    return words
