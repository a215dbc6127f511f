"""Check that a split gives each class pictures on each side and the requested share of test pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workflow.config import Split as Shares
from workflow.data.split import SPLITS, TEST, TRAIN, VALIDATION, Split
from workflow.data.table import Table
from workflow.errors import DataError
from workflow.words import counted, named

_NAMED = 5  # classes
_SHARE_OFF = 0.05  # that chance explains with a few hundred pictures, and that needs no words


def check_split(table: Table, split: Split, active: Sequence[str], shares: Shares) -> None:
    """Each class needs training and test pictures (P38); the hint names a share of test pictures that gives them.

    Raises:
        DataError: P38.
    """
    missing: list[tuple[int, str]] = []
    above, upto = 0.0, 1.0  # a test share in between gives every class both sides
    for name in active:
        mine = table.read & (table.labels == table.number(name))
        free = split.fractions[mine & ~split.decided]
        for side in (TEST, TRAIN):
            if np.any(mine & split.decided & (split.sides == side)):
                continue
            if not np.any(mine & (split.sides == side)):
                missing.append((side, name))
            if side == TEST:
                above = max(above, free.min(initial=1.0))
            else:
                upto = min(upto, free.max(initial=0.0))
    if not missing:
        return
    side, name = missing[0]
    mine = table.read & (table.labels == table.number(name))
    if split.decided[mine].all():
        why, hint = _by_folders(table, split, name, side, active)
    else:
        why, hint = _by_share(split, mine, name, shares, _between(above, upto, shares.test))
    raise DataError(f"0 {SPLITS[side]} images for '{name}'{why}", hint=hint, fault="P38")


def check_share(split: Split, read: NDArray[np.bool_], groups: Sequence[NDArray[np.intp]], share: float) -> list[str]:
    """The warning if near-duplicates make the share of test pictures differ from the requested one."""
    free = read & ~split.decided
    pictures = int(np.count_nonzero(free))
    together = [len(group) for group in groups if not split.decided[group[0]]]
    came = float(np.mean(split.sides[free] == TEST)) if pictures else share
    if not together or abs(came - share) <= _SHARE_OFF:
        return []
    distinct = pictures - sum(together) + len(together)
    return [
        f"{came:.0%} test pictures, {share:.0%} asked for: near-duplicates stay on one side of the split, and "
        f"{counted(pictures, 'picture')} are {distinct} different ones"
    ]


def check_validation(table: Table, split: Split, active: Sequence[str], shares: Shares) -> list[str]:
    """The warning about classes without validation pictures, where there are any or some were asked for."""
    mine = table.read & (split.sides == VALIDATION)
    if not mine.any():
        if not shares.validation:
            return []
        pictures = counted(int(np.count_nonzero(table.read)), "picture")
        return [f"no validation picture among {pictures}: the test pictures choose the best snapshot"]
    missing = [name for name in active if not np.any(table.labels[mine] == table.number(name))]
    if not missing:
        return []
    return [
        f"no validation picture of {named(missing, _NAMED)}: the best snapshot is chosen by the other classes alone"
    ]


def _by_share(
    split: Split, mine: NDArray[np.bool_], name: str, shares: Shares, better: float | None
) -> tuple[str, str]:
    """Why a class has no training or no test pictures, and what helps, where its pictures' bytes decide."""
    why, hint = f" with a test share of {shares.test:g}", f"add images of '{name}'"
    if np.any(split.sides[mine] == VALIDATION):
        return f"{why} and a validation share of {shares.validation:g}", f"{hint}, or --validation-share 0"
    images, different = int(np.count_nonzero(mine)), len(np.unique(split.fractions[mine]))
    if different < images:
        what = f"{different} different ones" if different > 1 else "all nearly equal"
        why += f": its {images} images are {what}, and near-duplicates stay on one side"
        hint = f"add other images of '{name}'"
    if better is None:
        return why, f"{hint}, or sort the images into train/CLASS and test/CLASS"
    return why, f"{hint}, or --test-share {better:g}"


def _by_folders(table: Table, split: Split, name: str, side: int, active: Sequence[str]) -> tuple[str, str]:
    """The same where folders, or the generation before, decide."""
    if side == TRAIN and (leaked := _leaked(table, name)):
        return (
            f": {counted(leaked, 'image')} of its training folder {'has' if leaked == 1 else 'have'} the same bytes as "
            "test images",
            f"add other images of '{name}' to the training folder",
        )
    if close := _close(table, split, name, side, active):
        return (
            f", but '{close}' has {SPLITS[side]} images only",
            f"give both folders one name if '{name}' and '{close}' are one class",
        )
    return "", f"add images of '{name}'"


def _leaked(table: Table, name: str) -> int:
    """How many training pictures of a class were dropped as copies of its test pictures."""
    mine = table.labels == table.number(name)
    test = {table.digests[index].tobytes() for index in np.flatnonzero(mine & table.read)}
    dropped = np.flatnonzero(mine & ~table.read & (table.explicit == TRAIN))
    return sum(table.digests[index].tobytes() in test for index in dropped)


def _close(table: Table, split: Split, name: str, side: int, active: Sequence[str]) -> str | None:
    """The class with the closest name of those that have pictures on this side only."""
    from difflib import get_close_matches

    only = [
        other
        for other in active
        if np.all(split.sides[table.read & (table.labels == table.number(other))] == side) and other != name
    ]
    spelt = {other.casefold(): other for other in only}
    return next((spelt[found] for found in get_close_matches(name.casefold(), spelt, n=1)), None)


def _between(above: float, upto: float, share: float) -> float | None:
    """The roundest number over `above` and up to `upto`, on the side of `share`; None if there is none."""
    for digits in (2, 3, 4):
        scale = 10**digits
        low, high = math.floor(above * scale) + 1, math.floor(upto * scale)
        if low <= high and high > 0 and low < scale:
            return min(max(low, round(share * scale)), min(high, scale - 1)) / scale
    return None
