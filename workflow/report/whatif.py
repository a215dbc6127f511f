"""The predicted effect of a change of the training pictures, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.words import counted, table

if TYPE_CHECKING:
    from workflow.curation.whatif import Named, WhatIf

LIMITS = "a classifier fitted to the snapshot's features, not a training: docs/whatif.md says how well it predicts one"


def describe(found: WhatIf) -> str:
    """The change, the accuracy before and after, each class, and the pictures that were asked about."""
    before, after = (right / found.count for right in found.right)
    lines = [
        f"{_edits(found)}: {found.trained_on[0]:,} -> {counted(found.trained_on[1], 'training picture')}",
        f"{found.split} accuracy  {before:.4f} -> {after:.4f}  {100 * found.difference:+.1f} points  "
        f"({found.fixed:,} more right, {found.broken:,} more wrong of {found.count:,})",
    ]
    if found.known:
        lines.append(f"{counted(found.known, 'picture')} to be added: in {found.snapshot.split('/')[0]} already")
    rows = [
        [one.name, f"{one.before / one.count:.4f}", "->", f"{one.after / one.count:.4f}", f"of {one.count:,}"]
        for one in found.per_class
    ]
    lines += ["", *table([["class", "recall", "", "", ""], *rows], left=(0, 2, 4))]
    if found.pictures:
        lines += ["", *table([_picture(one) for one in found.pictures], left=(0, 1, 3, 4))]
    return "\n".join([*lines, "", LIMITS])


def _edits(found: WhatIf) -> str:
    done = {"relabelled": found.relabelled, "removed": found.removed, "added": found.added}
    return ", ".join(f"{counted(count, 'picture')} {verb}" for verb, count in done.items() if count)


def _picture(one: Named) -> list[str]:
    before, after = one.labels
    return [str(one.image), before, f"{one.before[before]:.2f}", "->", after, f"{one.after[after]:.2f}"]
