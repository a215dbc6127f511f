"""`wf prepare`: labelled folders -> generations/genN/dataset.

scan -> number the classes -> recall the files that the last preparation knew; read, hash and decode all others (to
parts on disk) -> apply the user's corrections, drop copies, refuse contradictions, split -> databases, mean, labels,
manifest -> generation.json -> rename.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from workflow.allocator import give_back, keep_freed
from workflow.config import Config
from workflow.config import Split as SplitSettings
from workflow.data import checks, classes, contact_sheet, corrections, decoders, known, place, split_checks, staging
from workflow.data.before import Before, before
from workflow.data.changes import Changes, compare
from workflow.data.correcting import Corrected, obey
from workflow.data.decode_all import decode_all, results_of, workers_for
from workflow.data.duplicates import nearly_equal
from workflow.data.found import Scan, Skipped
from workflow.data.labelled import Labelled
from workflow.data.result import PrepareResult
from workflow.data.scan import scan
from workflow.data.split import SPLITS, TEST, TRAIN, UNDECIDED, VALIDATION, Split, decide
from workflow.data.spool import Spool
from workflow.data.table import Table
from workflow.data.writing import write_dataset
from workflow.errors import UsageError
from workflow.formats import lmdb
from workflow.generations import Generation, Record, generations
from workflow.generations.record import Corrections, FromInbox, PreparedWith
from workflow.paths import PathOrAddress
from workflow.words import PARTS, counted

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of all, about ten times a second and worker."""

_KEPT, _LARGEST = 2**24, 2**22  # bytes; arrays over all of a million pictures are larger

_log = logging.getLogger("workflow")


def prepare(
    config: Config,
    folders: Sequence[PathOrAddress] = (),
    number: int | None = None,
    *,
    lists: Sequence[Path] = (),
    force: bool = False,
    strict: bool = False,
    rehash: bool = False,
    drop_classes: Collection[str] = (),
    rename_classes: Mapping[str, str] | None = None,
    follow_symlinks: bool = False,
    allow_network_fs: bool = False,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    labelled: Labelled | None = None,
) -> PrepareResult:
    """Make a generation of labelled pictures, whole or not at all.

    Args:
        config: the settings.
        folders: labelled folders and tars; those of the settings if there are none, and no lists.
        number: of the generation; None is the newest plus one.
        lists: lists of pictures with labels, see `sources.lists`.
        force: replace the generation if it exists, once the new one is whole; keep its training in before-N. Also, make
            a generation that is the same as the one before.
        strict: refuse any file that is not a picture instead of skipping it.
        rehash: read every file, also those that are as the last preparation knew them by name, size and time.
        drop_classes: classes to leave out (P05, P37).
        rename_classes: old name -> new name (P37).
        follow_symlinks: enter folders that are symbolic links.
        allow_network_fs: allow a database on a network file system (L09).
        progress: called now and then.
        command: the command line, for the record.
        labelled: labelled pictures of the inbox, which are read beside the folders.

    Raises:
        UsageError, DataError, BusyError, EnvironmentFault: rows P01 to P38, L09 and T10 of the catalogue of faults.
            Whatever is raised, generations that existed are as they were.
    """
    target = place.choose(config, number, force=force)
    place.check_file_system(config.generations, allowed=allow_network_fs)
    keep_freed(_KEPT, _LARGEST)
    with place.explained(target), target.held("wf prepare"):
        place.check_free(config, target, force=force)
        job = _Preparation(config, target, progress, tuple(command), strict, force, rehash, labelled)
        given = folders or (() if lists else config.images)
        roots = [*given, *([] if labelled is None else [labelled.root])]
        return job.run(roots, lists, follow_symlinks, drop_classes, rename_classes or {})


class _Preparation:
    """One run, with the warnings that it gathers."""

    def __init__(
        self,
        config: Config,
        target: Generation,
        progress: Progress | None,
        command: tuple[str, ...],
        strict: bool,
        force: bool,
        rehash: bool,
        labelled: Labelled | None,
    ) -> None:
        self.began = time.time_ns()
        self.config, self.target, self.command = config, target, command
        self.strict, self.force, self.rehash = strict, force, rehash
        self.labelled = labelled
        self.progress = progress or _silent
        self.warnings: list[str] = []
        self.corrected = Corrected()
        self.known = 0  # files that need not be read

    def warn(self, *texts: str) -> None:
        """Log it now, and keep it for the result."""
        for text in texts:
            _log.warning("%s", text)
            self.warnings.append(text)

    def run(
        self,
        folders: Sequence[PathOrAddress],
        lists: Sequence[Path],
        follow_symlinks: bool,
        drop: Collection[str],
        rename: Mapping[str, str],
    ) -> PrepareResult:
        """Run all steps, in the order of this module's docstring."""
        swept = staging.sweep(self.target)
        if swept:
            names = ", ".join(path.name for path in swept)
            self.warn(f"removed leftovers of an interrupted prepare: {names}")
        previous = self._previous()
        found = scan(
            folders,
            lists=lists,
            follow_symlinks=follow_symlinks,
            classes=self.config.classes or (),
            project=self.config.project,
            inbox=None if self.labelled is None else self.labelled.root,
        )
        self.warn(*found.warnings)
        arranged = classes.arrange(
            found.classes,
            configured=self.config.classes,
            previous=previous.record if previous else None,
            drop=drop,
            rename=rename,
            folders=found.folders,
        )
        self.warn(*arranged.warnings)
        table = Table(classes.of_classes(found.folders, arranged), arranged.names, self.config.project)
        place.check_disk(self.config.generations, checks.need(self.config, len(table)))
        self.warn(*place.replaced(self.target))
        with staging.staged(self.target) as stage, table.on_disk(stage.folder):
            give_back()  # what the names took while they were found
            basis = decoders.basis(self.config)
            if not self.rehash:
                known.recall(table, generations(self.config), previous, basis)
            files = np.flatnonzero(~table.read).astype(np.uint32)
            with self._results(table, files, basis, stage.folder) as folder:
                self._read(table, files, folder)
                with Spool(table, self.config.preprocessing.shape) as spool:
                    split = self._decide(table, found, arranged, previous, spool)
                    changes = compare(table, split.sides, previous, arranged)
                    if not self.force:
                        self._check_new(changes, previous, arranged)
                    self._say_changes(changes)
                    hashes = write_dataset(stage, table, split.sides, spool, self.config.prepare.seed, table.skipped)
                    order = self.config.preprocessing.channel_order
                    contact_sheet.write(stage.pictures, table, split.sides, spool, order)
                    spool.remove()
            known.remember(stage, table, basis, self.began)
            record = self._record(table, split, previous, hashes)
            stage.write(record)
        return self._result(table, split, changes, record.inbox)

    # ---- steps ------------------------------------------------------------------------------------------------

    def _previous(self) -> Before | None:
        older = [one for one in generations(self.config) if one.number < self.target.number]
        if not older:
            return None
        previous = before(older[-1])
        if not len(previous.digests):
            self.warn(f"{older[-1].manifest} is gone: which pictures were test pictures is not known")
        return previous

    def _results(
        self, table: Table, files: NDArray[np.uint32], basis: bytes, folder: Path
    ) -> AbstractContextManager[Path]:
        def paths(start: int, stop: int) -> list[bytes]:
            return table.items(files[start:stop])

        return results_of(len(files), paths, self.config.cluster, self.config.project, basis, folder)

    def _read(self, table: Table, files: NDArray[np.uint32], folder: Path) -> None:
        self.known = done = len(table) - len(files)
        self.progress(done, len(table))

        def paths(start: int, stop: int) -> list[bytes]:
            return table.items(files[start:stop])

        for result in decode_all(
            len(files),
            paths,
            workers=workers_for(len(files), paths, self.config.prepare.workers),
            folder=folder,
            preprocessing=self.config.preprocessing,
            max_pixels=self.config.prepare.max_pixels,
            cluster=self.config.cluster,
        ):
            table.fill(result, files)
            done += result.stop - result.start
            self.progress(done, len(table))

    def _decide(
        self, table: Table, found: Scan, arranged: classes.Classes, previous: Before | None, spool: Spool
    ) -> Split:
        settings = self.config.prepare
        files = len(table) + len(found.skipped)
        table.skipped += found.skipped
        self._leave_out_moved(table)
        checks.check_readable(found.forbidden + sorted(table.forbidden), sorted(table.changed))
        checks.check_skipped(table.skipped, files, settings.max_bad, strict=self.strict)
        self.warn(*checks.remarks(table, self.config.preprocessing, files, table.skipped))
        self.corrected = obey(table, corrections.patches(self.config.generations), arranged)
        if overruled := self.corrected.overruled:
            self.warn(f"{counted(overruled, 'corrected image')} in another folder since: the folder wins")
        copies, leaked = checks.drop_copies(table)
        for side, count in leaked.items():
            word = PARTS[SPLITS[side]]
            whole = counted(int(np.count_nonzero(table.explicit == side)), f"{word} image")
            smaller = [PARTS[SPLITS[one]] for one in range(side) if np.any(table.explicit == one)]
            self.warn(
                f"leak: {count:,} of {whole} are in the {' or '.join(smaller)} folders, too (the same bytes); "
                f"they take part as {word} images only"
            )
        if copies:
            self.warn(f"{counted(copies, 'duplicate image')} ignored")
        if contradictions := checks.check_conflicts(table, settings.on_conflict):
            self.warn(f"{counted(contradictions, 'image')} in two classes skipped")
        self.warn(*checks.check_classes(table, arranged.active))
        indices = np.flatnonzero(table.read)
        groups = nearly_equal(table.thumbnails, indices, spool.some)
        earlier = np.full(len(table), UNDECIDED, np.int8) if previous is None else previous.sides_of(table.digests)
        cut = previous is not None and previous.cut
        shares = self._shares(found)
        split = decide(table.digests, table.explicit, earlier, groups, shares.test, shares.validation, cut=cut)
        split_checks.check_split(table, split, arranged.active, shares)
        if split.moved:
            alike = counted(sum(map(len, groups)), "image")
            self.warn(
                f"{alike} nearly equal to others, in {counted(len(groups), 'group')}; each group is kept on one "
                "side of the split"
            )
        self.warn(*split_checks.check_share(split, table.read, groups, shares.test))
        self.warn(*split_checks.check_validation(table, split, arranged.active, shares))
        for side, count in split.leaked.items():
            self.warn(f"leak: {counted(count, f'{PARTS[SPLITS[side]]} image')} nearly equal to training ones")
        _log.debug(
            "%d hidden files ignored, %d with a wrong extension, first frame used of %d animations",
            found.ignored,
            table.note("extension"),
            table.note("frames"),
        )
        return split

    def _shares(self, found: Scan) -> SplitSettings:
        """Of the settings; without validation pictures where folders say train/ and test/, but no val/."""
        said = {folder.split for folder in found.folders if folder.split is not None}
        if said and SPLITS[VALIDATION] not in said:
            return structs.replace(self.config.split, validation=0.0)
        return self.config.split

    def _check_new(self, changes: Changes, previous: Before | None, arranged: classes.Classes) -> None:
        """A generation that would be the same as the one before needs `force`.

        Raises:
            UsageError: nothing has changed.
        """
        if previous is None or changes.any or not previous.whole():
            return
        record = previous.record
        if (record.classes, record.preprocessing) != (arranged.names, self.config.preprocessing):
            return
        if record.config.prepare.seed != self.config.prepare.seed:
            return
        trained = "add pictures" if record.snapshots else f"wf train --gen {record.number}"
        raise UsageError(
            f"generation {record.number} already has the same pictures, labels, split and settings",
            hint=f"{trained}, or wf prepare --force to make generation {self.target.number} anyway",
        )

    def _say_changes(self, changes: Changes) -> None:
        if changes.from_test:
            places = {"train/": changes.to_train, "val/": changes.to_validation}
            now = " or ".join(name for name, count in places.items() if count)
            self.warn(
                f"{counted(changes.from_test, 'test image')} of generation {changes.against} "
                f"in {now} now: the generations no longer have the same test set"
            )

    def _record(self, table: Table, split: Split, previous: Before | None, hashes: dict[str, str]) -> Record:
        counts = {}
        for side, name in enumerate(SPLITS):
            mine = table.read & (split.sides == side)
            if mine.any():
                numbers = np.bincount(table.labels[mine], minlength=len(table.classes))
                counts[name] = dict(zip(table.classes, numbers.tolist(), strict=True))
        return Record(
            number=self.target.number,
            parent=previous.record.number if previous else None,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            classes=table.classes,
            preprocessing=self.config.preprocessing,
            counts=counts,
            hashes=hashes,
            corrections=Corrections.of(self.corrected.json()),
            inbox=self._from_inbox(table),
            config=PreparedWith.of(self.config.recorded()),
            versions={"python": platform.python_version(), "lmdb": lmdb.VERSION} | decoders.versions(),
            commands=(self.command,) if self.command else (),
        )

    def _leave_out_moved(self, table: Table) -> None:
        """A take-over may move labelled pictures of the inbox during reading: they go into the next generation."""
        if self.labelled is None:
            return
        root = os.path.join(self.labelled.root, "")  # noqa: PTH118  # as the table's paths are written
        moved = [path for path, _ in table.changed if path.startswith(root)]
        table.changed = [one for one in table.changed if not one[0].startswith(root)]
        table.skipped += [
            Skipped(path=path, reason="was moved by a take-over", kind="moved", bad=False) for path in moved
        ]
        if moved:
            self.warn(f"{counted(len(moved), 'picture')} of the inbox left out: relabelled while they were read")

    def _from_inbox(self, table: Table) -> FromInbox:
        return FromInbox() if self.labelled is None else self.labelled.taken(table)

    def _result(self, table: Table, split: Split, changes: Changes, inbox: FromInbox) -> PrepareResult:
        skipped = sorted((one.path, one.reason) for one in table.skipped)
        return PrepareResult(
            generation=self.target.number,
            folder=self.target.folder,
            classes=table.classes,
            train=int(np.count_nonzero(table.read & (split.sides == TRAIN))),
            test=int(np.count_nonzero(table.read & (split.sides == TEST))),
            known=self.known,
            files=len(table),
            validation=int(np.count_nonzero(table.read & (split.sides == VALIDATION))),
            skipped=tuple(skipped),
            changes=changes,
            corrected=self.corrected,
            inbox=inbox,
            warnings=tuple(self.warnings),
            pictures=(self.target.pictures,),
        )


def _silent(done: int, total: int) -> None:
    del done, total
