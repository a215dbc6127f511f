"""Checks after the files were read: what stops a preparation, and what is only a warning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from workflow.config import Config, Preprocessing
from workflow.data.duplicates import same_bytes
from workflow.data.found import Skipped, printable
from workflow.data.pictures import OUT_OF_MEMORY
from workflow.data.split import TRAIN
from workflow.data.table import Table
from workflow.errors import DataError, EnvironmentFault
from workflow.words import counted

_IMBALANCE = 4  # times as many pictures


def check_readable(forbidden: Sequence[str], changed: Sequence[tuple[str, str]]) -> None:
    """Stop at files without read permission, and at files that are being changed.

    Raises:
        EnvironmentFault: P21.
        DataError: P31.
    """
    if forbidden:
        raise EnvironmentFault(
            f"cannot read {counted(len(forbidden), 'file')} (permission denied), first: {printable(forbidden[0])}",
            hint=f"chmod -R a+rX {printable(forbidden[0])}",
            fault="P21",
        )
    if changed:
        path, reason = changed[0]
        raise DataError(
            f"{printable(path)} {reason}", hint="run wf prepare again when no program writes there", fault="P31"
        )


def check_skipped(skipped: Sequence[Skipped], files: int, max_bad: float, *, strict: bool) -> None:
    """Too many broken files, or with `strict` any file that is not a picture.

    Raises:
        DataError: P08, or that of the first file.
    """
    bad = [one for one in skipped if one.bad]
    if files and len(bad) > max_bad * files:
        share = len(bad) / files
        raise DataError(
            f"{len(bad)} of {files} images unreadable ({share:.0%}), more than {max_bad:.0%}; {kinds(bad)}; "
            f"first: {_first(bad)}",
            hint=f"the copy is probably incomplete; to continue anyway: --max-bad {math.ceil(100 * share) / 100:g}",
            fault="P08",
        )
    if strict and skipped:
        raise DataError(
            f"{counted(len(skipped), 'file')} cannot be used ({kinds(skipped)}), first: {_first(skipped)}",
            hint="repair or remove them, or omit --strict",
            fault="P06",
        )


def drop_copies(table: Table) -> tuple[int, dict[int, int]]:
    """Keep one of several files with the same bytes and class: that of the largest side, else the first.

    Returns:
        How many were dropped (P27), and of each side how many pictures the folders had in a smaller side, too.
    """
    dropped = 0
    leaked: Counter[int] = Counter()
    for group in same_bytes(table.digests, np.flatnonzero(table.read)):
        for label in np.unique(table.labels[group]):
            kept, *copies = sorted(
                group[table.labels[group] == label].tolist(), key=lambda index: -int(table.explicit[index])
            )
            side = int(table.explicit[kept])
            leaks = [copy for copy in copies if TRAIN <= table.explicit[copy] < side]
            for copy in copies:
                kind = "leak" if copy in leaks else "duplicate"
                table.skip(copy, f"has the same bytes as {table.recorded(kept)}", kind, bad=False)
            dropped += len(copies) - len(leaks)
            leaked.update([side] * bool(leaks))
    return dropped, dict(sorted(leaked.items()))


def check_conflicts(table: Table, on_conflict: str) -> int:
    """The same bytes in two classes: a contradiction. With `skip` neither is used.

    Returns how many files were skipped.

    Raises:
        DataError: P28.
    """
    groups = same_bytes(table.digests, np.flatnonzero(table.read))
    if groups and on_conflict == "stop":
        example = " = ".join(printable(table.path(index)) for index in groups[0])
        raise DataError(
            f"{counted(len(groups), 'image')} {'appears' if len(groups) == 1 else 'appear'} in two classes, "
            f"e.g. {example}",
            hint="remove the wrong ones, or --on-conflict skip",
            fault="P28",
        )
    for group in groups:
        for index in group:
            other = group[0] if index != group[0] else group[1]
            table.skip(int(index), f"is also in another class: {table.recorded(other)}", "contradiction", bad=False)
    return sum(map(len, groups))


def check_classes(table: Table, active: Sequence[str]) -> list[str]:
    """Each class needs two pictures (P05); returns warnings about unequal classes (P30).

    Raises:
        DataError: P05.
    """
    counts = {name: int(np.count_nonzero(table.read & (table.labels == table.number(name)))) for name in active}
    for name, count in counts.items():
        if count < 2:
            raise DataError(
                f"class '{name}' has {counted(count, 'usable image')}, need 2",
                hint=f"add images or --drop-class {name}",
                fault="P05",
            )
    least, most = min(active, key=lambda name: counts[name]), max(active, key=lambda name: counts[name])
    if counts[most] > _IMBALANCE * counts[least]:
        return [
            f"'{least}' has {counts[least]:,} images, '{most}' {counts[most]:,}: the net will prefer '{most}'; "
            "add pictures, or train with --balance loss"
        ]
    return []


def remarks(table: Table, preprocessing: Preprocessing, files: int, skipped: Sequence[Skipped]) -> list[str]:
    """Warnings about the pictures (P06, P15, P18)."""
    said = []
    refused = [one for one in skipped if one.kind not in ("duplicate", "leak", "contradiction")]
    if refused:
        said.append(f"skipped {len(refused)} of {files} images: {kinds(refused)}; images.jsonl lists them")
    for kind, advice in _ADVICE.items():
        count = sum(one.kind == kind for one in refused)
        if count:
            said.append(f"{count} {kind}: {advice}")
    # whether these are in the data set depends on the machine
    said += [f"left out: {printable(one.path)} {one.reason}" for one in refused if one.kind == OUT_OF_MEMORY]
    if deep := table.note("16-bit"):
        said.append(f"{counted(deep, 'image')} of 16 bits, scaled by 1/257")
    if small := table.note("upscaled"):
        size = f"{preprocessing.width}×{preprocessing.height}"
        said.append(f"{counted(small, 'image')} smaller than {size}, enlarged")
    return said


_ADVICE = {
    "HEIC": "pip install pillow-heif, or convert them to JPEG or PNG",
    "AVIF": "convert them to JPEG or PNG",
    "SVG": "convert them to PNG",
    "RAW": "convert them to JPEG or PNG",
    "git-lfs pointer": "`git lfs pull` fetches the pictures",
    "too large": "--max-pixels, or prepare.max_pixels in the settings, raises the limit",
    OUT_OF_MEMORY: "a lower prepare.max_pixels skips such files; prepare.workers: 1 needs less memory",
}


def need(config: Config, files: int) -> int:
    """Bytes that a preparation will take on disk, with a reserve of 10 % (P32)."""
    channels, height, width = config.preprocessing.shape
    pixels = channels * height * width
    # in LMDB a value beyond half a page takes whole pages; the spool takes the pixels once more; manifest and keys
    record = math.ceil((pixels + 40) / 4096) * 4096 if pixels > 1900 else 2 * (pixels + 100)
    return round(1.1 * files * (record + pixels + 600)) + 2**20


def kinds(skipped: Sequence[Skipped]) -> str:
    """`2 empty, 1 truncated`."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(one.kind for one in skipped).most_common())


def _first(skipped: Sequence[Skipped]) -> str:
    one = min(skipped, key=lambda one: (not one.bad, one.path))
    return f"{printable(one.path)} {one.reason}"
