"""Changes of a data set since the previous generation, picture by picture (identified by the file's bytes)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workflow.data.before import Before
from workflow.data.classes import Classes
from workflow.data.split import SPLITS, TEST, TRAIN, VALIDATION
from workflow.data.table import Table


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Numbers of pictures, and names of classes."""

    against: int | None
    """The generation before; None for a first one, which has no changes."""
    added: int = 0
    removed: int = 0
    relabelled: int = 0
    """Pictures that are in another class now; a renamed class is the same class."""
    to_train: int = 0
    """Pictures of another part that are training pictures now, since their folders say so."""
    to_validation: int = 0
    to_test: int = 0
    from_test: int = 0
    """Pictures that were test pictures and no longer are."""
    new_classes: tuple[str, ...] = ()
    dropped_classes: tuple[str, ...] = ()
    renamed_classes: dict[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether something changed, or there is no previous generation."""
        moved = self.to_train + self.to_validation + self.to_test
        pictures = self.added + self.removed + self.relabelled + moved
        return self.against is None or bool(pictures or self.new_classes or self.renamed_classes)


def compare(table: Table, sides: np.ndarray, previous: Before | None, classes: Classes) -> Changes:
    """Compare with the previous generation.

    Args:
        table: its `read` files are the generation's pictures.
        sides: int8 (N,), see `split.SPLITS`.
        previous: None for a first generation.
        classes: of the new generation.
    """
    if previous is None:
        return Changes(against=None)
    old_names = [classes.renamed.get(name, name) for name in previous.record.classes]
    now = np.array([old_names.index(name) if name in old_names else -1 for name in table.classes])
    mine = np.flatnonzero(table.read)
    found = previous.digests.find(table.digests)[mine]
    kept, rows = mine[found >= 0], found[found >= 0]
    old, new = previous.sides[rows], sides[kept]
    to = np.bincount(new[old != new], minlength=len(SPLITS)).tolist()
    return Changes(
        against=previous.record.number,
        added=len(mine) - len(kept),
        removed=previous.distinct - len(kept),
        relabelled=int(np.count_nonzero(now[table.labels[kept]] != previous.labels[rows])),
        to_train=to[TRAIN],
        to_validation=to[VALIDATION],
        to_test=to[TEST],
        from_test=int(np.count_nonzero((old == TEST) & (new != TEST))),
        new_classes=classes.new,
        dropped_classes=classes.dropped,
        renamed_classes=dict(classes.renamed),
    )
