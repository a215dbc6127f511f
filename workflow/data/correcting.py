"""Apply corrections of labels during a preparation; a correction overrides the file's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from workflow.data.classes import Classes
from workflow.data.corrections import Correction, Patch, in_force
from workflow.data.table import Table
from workflow.errors import DataError, did_you_mean
from workflow.paths import recorded


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """The numbers of corrected pictures (copies with the same bytes count as well)."""

    patches: tuple[str, ...] = ()
    """Names of the patches that were applied: `001`."""
    relabelled: int = 0
    removed: int = 0
    overruled: int = 0
    """Pictures whose folder has changed since they were corrected: the folder wins."""

    def json(self) -> dict[str, object]:
        """For generation.json and `wf prepare --json`."""
        return {**asdict(self), "patches": list(self.patches)}


def obey(table: Table, patches: Sequence[Patch], classes: Classes) -> Corrected:
    """Apply corrected labels and exclude removed pictures; no file is moved.

    Args:
        table: its `labels`, `read` and `skipped` change.
        patches: in their order.
        classes: of the generation that is prepared; classes that it renames are renamed in corrections, too.

    Raises:
        DataError: a correction names an unknown class.
    """
    wanted = {bytes.fromhex(sha256): steps for sha256, steps in in_force(patches).items() if any(_labels(steps))}
    relabelled = removed = overruled = 0
    for index in np.flatnonzero(table.read).tolist() if wanted else []:
        steps = wanted.get(table.digests[index].tobytes())
        if steps is None:
            continue
        before = int(table.labels[index])
        if not _follow(table, index, steps, classes):
            overruled += 1
        elif not table.read[index]:
            removed += 1
        else:
            relabelled += int(table.labels[index]) != before
    return Corrected(
        patches=tuple(patch.name for patch in patches), relabelled=relabelled, removed=removed, overruled=overruled
    )


def _labels(steps: Sequence[tuple[Patch, Correction]]) -> Iterator[str]:
    """The classes that the corrections change; none if the picture was only refused as a new one."""
    return (one.label for _, one in steps if one.label)


def _follow(table: Table, index: int, steps: Sequence[tuple[Patch, Correction]], classes: Classes) -> bool:
    """Apply the corrections of one picture; False if none of them spoke of the class that it has."""
    spoken = False
    for patch, one in steps:
        label = table.classes[table.labels[index]]
        if classes.renamed.get(one.label, one.label) != label:
            spoken = spoken or label == classes.renamed.get(one.to or "", one.to)  # moved there by hand: agreed
            continue
        spoken = True
        if one.refused is not None:
            continue
        place = recorded(patch.path, table.project)
        if one.remove:
            table.skip(index, f"was removed by {place}", "removed", bad=False)
            break
        name = classes.renamed.get(one.to or "", one.to or "")
        if name in classes.active:
            table.labels[index] = table.number(name)
        elif name in classes.dropped:
            table.skip(index, f"is of the class '{name}' by {place}, which is left out", "left out", bad=False)
            break
        else:
            raise DataError(
                f"{patch.path} puts {one.path} into class '{name}', which has no folder",
                at=patch.path,
                hint=did_you_mean(name, classes.active) or f"wf suspects --undo {patch.number} takes the patch back",
            )
    return spoken
