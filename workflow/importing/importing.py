"""`wf import`: external databases, mean, labels, nets and snapshots -> generations/gen0.

find -> look at every record -> classes -> copy the databases as they are, mean, labels, manifest, prototxt, snapshots
-> generation.json -> rename.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import structs

from workflow.config import Config, Preprocessing
from workflow.data import place, staging
from workflow.errors import DataError, ModelError, NetError, UsageError
from workflow.formats import caffe_pb2, labels, prototxt
from workflow.formats.binaryproto import write_mean
from workflow.formats.lmdb import Reader
from workflow.formats.numpy_mean import read_any_mean
from workflow.generations import Generation, Record, SnapshotRecord, generation
from workflow.generations.record import PreparedWith, Training
from workflow.importing import finding, nets
from workflow.importing.finding import Snapshot
from workflow.importing.records import Records, copy
from workflow.importing.result import ImportResult
from workflow.models.deploy import from_training
from workflow.net.fill import classifying_layer
from workflow.net.paths import refuse_outside
from workflow.storage import sha256
from workflow.version import __version__

Order = Literal["RGB", "BGR"]


def import_generation(
    config: Config,
    paths: Sequence[Path],
    *,
    number: int = 0,
    mean: Path | None = None,
    names: Path | None = None,
    channel_order: Order = "BGR",
    allow_network_fs: bool = False,
    progress: Callable[[int, int], None] | None = None,
    command: Sequence[str] = (),
) -> ImportResult:
    """Make a generation of foreign files. They are not changed, and records are copied as they are.

    Args:
        config: says where generations are.
        paths: two databases; or folders and archives that hold them, with the rest.
        number: of the generation.
        mean: of the training records; the file found beside them if None, else it is computed.
        names: of the classes, one a line; the file found beside them if None, else they are numbers.
        channel_order: of the records of three channels: BGR is that of convert_imageset and DIGITS.
        allow_network_fs: allow databases on a network file system (L09).
        progress: called with (records read, all).
        command: the command line, for the record.

    Raises:
        UsageError: the generation exists, or the choice of files is ambiguous.
        DataError, DatabaseError, ModelError, NetError: the files are damaged, or do not fit each other.
        EnvironmentFault: the disk is full and the like. Whatever is raised, nothing was made.
    """
    target = generation(config, number)
    _check_free(target)
    place.check_file_system(config.generations, allowed=allow_network_fs)
    with _unpacked(paths) as places, place.explained(target):
        job = _Import(config, target, dict(zip(places, paths, strict=True)), channel_order, progress)
        return job.run(mean, names, tuple(command))


@contextmanager
def _unpacked(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """The paths, with archives unpacked temporarily."""
    with tempfile.TemporaryDirectory(prefix="wf-import-") as name:
        places = []
        for number, path in enumerate(paths):
            if not (path.is_file() and path.name.endswith((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip"))):
                places.append(path)
                continue
            folder = Path(name) / str(number)
            try:
                shutil.unpack_archive(path, folder, filter=None if path.suffix == ".zip" else "data")
            except (tarfile.TarError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
                raise DataError(f"{path} cannot be unpacked: {error}", hint="copy the archive again") from error
            places.append(folder)
        yield places


class _Import:
    """One import of `places`: folders and files, each with what was named; an archive was unpacked in between."""

    def __init__(
        self,
        config: Config,
        target: Generation,
        places: Mapping[Path, Path],
        channel_order: Order,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.config, self.target, self.places, self.order = config, target, places, channel_order
        self.progress = progress
        self.sources: dict[str, Path] = {}

    def run(self, mean: Path | None, names: Path | None, command: tuple[str, ...]) -> ImportResult:
        """Run all steps, in the order of this module's docstring."""
        found = finding.find(list(self.places))
        solver_path = self._source("solver", finding.solver(found))
        solver = None if solver_path is None else prototxt.read_solver(solver_path)
        net_path = self._source("training net", finding.training_net(found, solver))
        net = finding.net_of(net_path)
        train, test = finding.databases(found, net)
        self.sources = {"train": self._named(train), "test": self._named(test)} | self.sources
        records = Records(roots=self._roots(train))
        self._read(records, train, test)
        assert records.shape is not None  # noqa: S101 - an empty database is an error
        mean_path = self._source("mean", mean or finding.one_of("mean", found.means, preferred="mean", flag="--mean"))
        labels_path = self._source("labels", names or finding.one_of("labels", found.labels, flag="--labels"))
        deploy_path = self._source("deploy net", finding.one_of("deploy net", found.deploy_nets, preferred="deploy"))
        classes = self._classes(records, labels_path, net, net_path)
        snapshots = finding.snapshots(found)
        if snapshots and net is None:
            raise UsageError(
                f"found snapshots ({snapshots[-1].model}), but no training net, which says mean and scale",
                hint="name its train_val.prototxt as well",
            )
        with self._place(_size(train) + _size(test)) as stage:
            hashes = self._write_dataset(stage, records, train, test, mean_path, classes)
            if net is not None and net_path is not None:
                self._write_nets(stage, net, net_path, finding.net_of(deploy_path), deploy_path, records.shape)
            if solver is not None and net is not None:
                prefix = solver.snapshot_prefix or "net"
                prototxt.write(stage.prototxt("solver"), nets.solver_with_paths(solver, self.target, prefix))
            stage.write(self._record(records, classes, hashes, _copied(stage, snapshots), command))
        return ImportResult(
            generation=self.target.number,
            folder=self.target.folder,
            classes=classes,
            train=len(records.labels["train"]),
            test=len(records.labels["test"]),
            shape=records.shape,
            channel_order=self._preprocessing(records.shape).channel_order,
            pictures=records.pictures,
            snapshots=tuple(one.iteration for one in snapshots),
            sources=self.sources,
        )

    @contextmanager
    def _place(self, needed: int) -> Iterator[Generation]:
        """The generation under a temporary name; folders are made here, where nothing has been wrong so far."""
        with self.target.held("wf import"):
            _check_free(self.target)
            place.check_disk(self.config.generations, needed)
            with staging.staged(self.target) as stage:
                yield stage

    # ---- steps ------------------------------------------------------------------------------------------------

    def _source(self, part: str, path: Path | None) -> Path | None:
        if path is not None:
            self.sources[part] = self._named(path)
        return path

    def _named(self, path: Path) -> Path:
        """The path as the user can see it: within an archive, not where that was unpacked."""
        for where, named in self.places.items():
            if where != named and path.is_relative_to(where):
                return named / path.relative_to(where)
        return path

    def _roots(self, train: Path) -> list[Path]:
        """Folders that paths in keys may be relative to: those given, the database's, the project's, and one below."""
        given = [where for where, named in self.places.items() if where == named and where.is_dir()]
        beside = [train.parent] if self._named(train) == train else []
        ours = [folder for folder in self.config.images if folder.is_dir()]
        tops = dict.fromkeys([self.config.project, *given, *beside, *ours])
        below = [one for top in tops if top != self.config.project for one in sorted(top.iterdir()) if one.is_dir()]
        return [*tops, *(one for one in below if not (one / "data.mdb").exists())]

    def _read(self, records: Records, train: Path, test: Path) -> None:
        count = 0
        with Reader(train) as first, Reader(test) as second:
            whole = len(first) + len(second)

        def seen() -> None:
            nonlocal count
            count += 1
            if self.progress is not None and (count % 200 == 0 or count == whole):
                self.progress(count, whole)

        records.read(train, "train", seen)
        records.read(test, "test", seen)

    def _preprocessing(self, shape: tuple[int, int, int]) -> Preprocessing:
        channels, height, width = shape
        if channels not in (1, 3):
            raise DataError(f"records are {shape}, expected 1 or 3 channels")
        order = "GRAY" if channels == 1 else self.order
        return Preprocessing(width=width, height=height, channel_order=order, kernel="opencv")

    def _classes(
        self, records: Records, path: Path | None, net: caffe_pb2.NetParameter | None, source: Path | None
    ) -> tuple[str, ...]:
        """Names in the order of the labels: of the file, else the numbers of the net's classes.

        Raises:
            DataError: a label without a name.
            NetError: X06, the net has more or fewer classes than there are names.
        """
        highest = max(max(found) for found in records.labels.values())
        outputs = None if net is None else _outputs(net)
        if path is None:
            return tuple(map(str, range(max(highest + 1, outputs or 0))))
        names = labels.read(path)
        if highest >= len(names):
            raise DataError(f"a record has label {highest}, but {path} names {len(names)} classes, counted from 0")
        if outputs is not None and outputs != len(names):
            raise NetError(
                f"{source} has {outputs} outputs, but {path} names {len(names)} classes",
                hint="--labels names the right file",
                fault="X06",
            )
        return names

    def _write_dataset(
        self,
        stage: Generation,
        records: Records,
        train: Path,
        test: Path,
        mean: Path | None,
        classes: tuple[str, ...],
    ) -> dict[str, str]:
        hashes = {}
        for split, database in (("train", train), ("test", test)):
            folder = stage.database(split)
            hashes[f"{folder.name}/data.mdb"] = copy(database, folder)
        self._write_mean(stage.mean, records, mean)
        labels.write(stage.labels, classes)
        with stage.manifest.open("w", encoding="utf-8") as file:
            for split in ("train", "test"):
                records.list(stage, split, classes, file)
        for path in (stage.mean, stage.labels, stage.manifest):
            hashes[path.name] = sha256(path)
        return hashes

    def _write_mean(self, target: Path, records: Records, source: Path | None) -> None:
        """The mean as it is; that of the training records where there is none, or only one number a channel."""
        assert records.shape is not None and records.total is not None  # noqa: S101, PT018 - the records were read
        if source is None:
            write_mean(target, (records.total / len(records.labels["train"])).astype(np.float32))
            return
        mean = read_any_mean(source)
        if mean.shape[1:] == (1, 1):
            mean = np.ascontiguousarray(np.broadcast_to(mean, records.shape))
        if mean.shape != records.shape:
            raise ModelError(
                f"mean {source} is {mean.shape}, but records are {records.shape}",
                hint="--mean names another; without one it is computed",
                fault="M02",
            )
        if source.suffix == ".binaryproto":
            shutil.copyfile(source, target)
        else:
            write_mean(target, mean)

    def _write_nets(
        self,
        stage: Generation,
        net: caffe_pb2.NetParameter,
        source: Path,
        deploy: caffe_pb2.NetParameter | None,
        deploy_source: Path | None,
        shape: tuple[int, int, int],
    ) -> None:
        filled = nets.with_paths(net, self.target)
        if deploy is None:
            deploy, _ = from_training(net, source=source, stored=shape, project=self.config.project)
        refuse_outside(filled, project=self.config.project, at=source, filled=["Data"])
        refuse_outside(deploy, project=self.config.project, at=deploy_source or source)
        stage.prototxt("train_test").parent.mkdir()
        prototxt.write(stage.prototxt("train_test"), filled)
        prototxt.write(stage.prototxt("deploy"), deploy)

    def _record(
        self,
        records: Records,
        classes: tuple[str, ...],
        hashes: dict[str, str],
        snapshots: tuple[SnapshotRecord, ...],
        command: tuple[str, ...],
    ) -> Record:
        assert records.shape is not None  # noqa: S101 - the records were read
        preprocessing = self._preprocessing(records.shape)
        return Record(
            number=self.target.number,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            classes=classes,
            preprocessing=preprocessing,
            counts={
                split: dict(zip(classes, np.bincount(found, minlength=len(classes)).tolist(), strict=True))
                for split, found in records.labels.items()
            },
            hashes=hashes,
            config=PreparedWith.of(structs.replace(self.config, preprocessing=preprocessing).recorded()),
            versions={"wf": __version__},
            commands=(command,) if command else (),
            training=Training.of({"engine": "caffe"}) if snapshots else Training(),
            snapshots=snapshots,
        )


def _check_free(target: Generation) -> None:
    """Check that an import replaces nothing.

    Raises:
        UsageError: the generation exists.
    """
    if target.folder.exists():
        raise UsageError(
            f"generation {target.number} exists already: {target.folder}",
            hint=f"--gen {target.number + 1}, or move that folder",
        )


def _copied(stage: Generation, snapshots: Sequence[Snapshot]) -> tuple[SnapshotRecord, ...]:
    """Copy snapshots under wf's names; returns their entries for the record."""
    copied = []
    if snapshots:
        stage.snapshots.mkdir()
    for one in snapshots:
        hdf5 = ".h5" if one.model.suffix == ".h5" else ""
        stem = one.model.name.removesuffix(".h5").removesuffix(".caffemodel")
        model, state = (f"snapshots/{stem}.{kind}{hdf5}" for kind in ("caffemodel", "solverstate"))
        hashes = {}
        for name, source in ((model, one.model), (state, one.state)):
            if source is not None:
                shutil.copyfile(source, stage.folder / name)
                hashes[name] = sha256(stage.folder / name)
        copied.append(SnapshotRecord(iteration=one.iteration, model=model, state=state, sha256=hashes, engine="caffe"))
    return tuple(copied)


def _outputs(net: caffe_pb2.NetParameter) -> int | None:
    try:
        layer = classifying_layer(net)
    except NetError:
        return None
    return (layer.convolution_param if layer.type == "Convolution" else layer.inner_product_param).num_output


def _size(database: Path) -> int:
    return (database / "data.mdb").stat().st_size
