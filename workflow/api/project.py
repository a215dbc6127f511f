"""A project: its generations, and everything that is asked about several of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workflow.api.result import Finding
from workflow.api.snapshot import Picture, Progress, Snapshot

if TYPE_CHECKING:
    from workflow.checks.verification import Verification
    from workflow.config import Config
    from workflow.curation.decisions import Applied
    from workflow.curation.labelling import Labelled
    from workflow.curation.next import Next
    from workflow.curation.suspects import Suspects
    from workflow.curation.whatif import WhatIf
    from workflow.data.corrections import Undone
    from workflow.data.result import PrepareResult
    from workflow.engines.base import Control, Event
    from workflow.evaluation.diff import Diff
    from workflow.evaluation.folds import Folds
    from workflow.evaluation.history import Entry
    from workflow.evaluation.junk import Junk
    from workflow.evaluation.overview import Overview
    from workflow.evaluation.picture_history import Blame
    from workflow.generations import Generation
    from workflow.generations.live import Live
    from workflow.importing import ImportResult
    from workflow.inbox import Inbox
    from workflow.interpretation.activations.film import Film
    from workflow.interpretation.activations.generations_film import Lineage

_SHEET = 100  # absurdities on a contact sheet


class Project:
    """A project folder. Nothing depends on the current folder: several projects may be open in one process.

        project = Project("mybot")
        project.train(gen=5, progress=print)
        project.diff("gen4", "gen5").p_value

    Relative paths that are given to its methods are relative to the current folder; the paths that it hands out are
    absolute.

    Args:
        root: the project folder, see `wf init`.
        config: settings in YAML; None is configs/default.yaml of the project.
        settings: single settings, such as `train__threads=2` for train.threads.

    Raises:
        ConfigError: the settings are wrong.
    """

    def __init__(self, root: str | Path = ".", *, config: str | Path | None = None, **settings: Any) -> None:
        from workflow.project.settings import load

        file = None if config is None else Path(config)
        self.config: Config = load(file, settings, root=Path(root).absolute())
        """The settings."""
        self.command: tuple[str, ...] = ()
        """The command line, for the record; empty for a call from Python."""

    @classmethod
    def of(cls, config: Config, command: Sequence[str] = ()) -> Project:
        """The project of settings that are loaded already."""
        made = cls.__new__(cls)
        made.config, made.command = config, tuple(command)
        return made

    @classmethod
    def start(cls, root: str | Path, *, recipe: str = "classic") -> Project:
        """Make a project folder: configs/, prototxt/ and .gitignore; the default settings are the recipe's.

        Raises:
            UsageError: no such recipe, or a file that would be written exists.
        """
        from workflow.project import starting

        starting.start(Path(root), recipe)
        return cls(root)

    def __repr__(self) -> str:
        return f"<Project {self.root}>"

    @property
    def root(self) -> Path:
        """The project folder."""
        return self.config.project

    @property
    def generations(self) -> list[Generation]:
        """Every generation, by number; `one.read()` is its record."""
        from workflow.generations import generations

        return generations(self.config)

    @property
    def snapshots(self) -> list[str]:
        """The names of all snapshots, by generation and iteration: `gen5/iter_6000`."""
        return [
            f"{one.name}/iter_{snapshot.iteration}"
            for one in self.generations
            if one.record_path.is_file()
            for snapshot in one.read().snapshots
        ]

    def snapshot(
        self,
        reference: str | Path | None = None,
        *,
        gen: int | None = None,
        net: Path | None = None,
        mean: str | None = None,
        labels: Path | None = None,
        channel_order: str | None = None,
        scale: float | None = None,
        tell: bool = True,
    ) -> Snapshot:
        """Load a snapshot.

        Args:
            reference: `gen5/best`, `gen4/iter_6000`, `iter_6000`, `latest`, `best`, `live`, or a model file; None
                is the live one, or the latest of `gen`.
            gen: the generation, where the reference does not name it.
            net: for a model from elsewhere: its deploy prototxt.
            mean: for a model from elsewhere: a file, or numbers: `104,117,123`.
            labels: for a model from elsewhere: the names of the classes, one a line.
            channel_order: for a model from elsewhere: `RGB`, `BGR` or `GRAY`.
            scale: for a model from elsewhere: the scale of its transform_param.
            tell: warn where the newest data set has other classes.

        Raises:
            UsageError: no such snapshot.
            ModelError, NetError: the weights or the net cannot be used.
        """
        from workflow.models.loading import load

        asked = str(reference) if reference is not None else "live" if gen is None else "latest"
        model = load(
            self.config,
            snapshot=asked,
            number=gen,
            net=net,
            mean=mean,
            labels=labels,
            channel_order=channel_order,
            scale=scale,
            tell=tell,
        )
        return Snapshot(self.config, model)

    # ---- making generations ----

    def prepare(
        self,
        *folders: str | Path,
        lists: Sequence[str | Path] = (),
        gen: int | None = None,
        force: bool = False,
        strict: bool = False,
        rehash: bool = False,
        drop_classes: Sequence[str] = (),
        rename_classes: Mapping[str, str] | None = None,
        follow_symlinks: bool = False,
        allow_network_fs: bool = False,
        inbox: bool = True,
        progress: Progress | None = None,
    ) -> Finding[PrepareResult]:
        """Make a generation's data set from labelled folders.

        Args:
            folders: or tars; none, and no lists, takes `images` of the settings.
            lists: text files with the path of a picture and its label, a number, on each line.
            gen: its number; None is the newest plus one.
            force: replace a generation, or make one although no picture is new.
            strict: refuse unreadable files instead of skipping them.
            rehash: read every file, also those that the last preparation knew by name, size and time.
            drop_classes: classes to leave out.
            rename_classes: old name -> new name.
            follow_symlinks: enter folders that are links.
            allow_network_fs: allow databases on a network file system.
            inbox: whether inbox/labelled is read, too: labelled pictures that were sent.
            progress: called with (done, all).

        Raises:
            UsageError, DataError, EnvironmentFault: as `wf prepare`.
        """
        from workflow import project
        from workflow.api.inbox import labelled, rename_classes_of_inbox
        from workflow.data.prepare import prepare
        from workflow.generations import no_project
        from workflow.paths import path_or_address
        from workflow.report.preparation import describe

        if (
            not folders
            and not lists
            and not any(path.exists() for path in self.config.images)
            and not project.find(self.root)
        ):
            raise no_project(self.root.absolute())
        found = prepare(
            self.config,
            [path_or_address(folder) for folder in folders],
            gen,
            lists=[Path(one) for one in lists],
            force=force,
            strict=strict,
            rehash=rehash,
            drop_classes=drop_classes,
            rename_classes=rename_classes,
            follow_symlinks=follow_symlinks,
            allow_network_fs=allow_network_fs,
            progress=progress,
            command=self.command,
            labelled=labelled(self.config) if inbox else None,
        )
        if rename_classes:
            rename_classes_of_inbox(self.config, rename_classes)
        return Finding(found=found, describe=lambda one, _: describe(one), document=lambda one, _: one.to_json())

    def train(
        self,
        gen: int | None = None,
        *,
        max_iter: int | None = None,
        fresh: bool = False,
        weights: Sequence[str] = (),
        resume: str | None = None,
        seed: int | None = None,
        seeds: int | None = None,
        hosts: Sequence[str] = (),
        progress: Callable[[Event], object] | None = None,
        control: Control | None = None,
    ) -> Finding[dict[str, Any]]:
        """Train a generation; from its newest snapshot on, if there is one.

        Engine, threads, workers, precision and device are settings: `Project("mybot", train__threads=2)`.

        Args:
            gen: the generation; None is the newest.
            max_iter: overrides the solver's.
            fresh: start again; what an earlier run left is moved aside.
            weights: snapshots or caffemodels whose weights it starts from.
            resume: the snapshot or .solverstate to resume from.
            seed: overrides the solver's random_seed.
            seeds: train this many times, each with another seed.
            hosts: machines that train together, this one first, one worker each; the others call `lend`.
            progress: called with each event: `Started`, `Step`, `Validation`, `Snapshot`, `Note`, `Done`.
            control: asks the run to stop, from another thread.

        Raises:
            UsageError, NetError, DataError, DivergedError, EnvironmentFault: as `wf train`.
        """
        from workflow.errors import UsageError
        from workflow.training import train, train_seeds

        wishes: dict[str, Any] = {
            "number": gen,
            "max_iter": max_iter,
            "fresh": fresh,
            "weights": tuple(weights),
            "seed": seed,
            "control": control,
            "command": self.command,
        }
        if seeds is not None and resume is not None:
            raise UsageError("--resume and --seeds cannot be used together")
        if seeds is not None and (hosts or self.config.train.workers > 1):
            raise UsageError("several workers and --seeds cannot be used together", fault="T22")
        run = (
            train(self.config, resume=resume, hosts=hosts, **wishes)
            if seeds is None
            else train_seeds(self.config, seeds=seeds, **wishes)
        )
        for event in run:
            if progress is not None:
                progress(event)
        return self.training(gen)

    def lend(
        self,
        hosts: Sequence[str],
        rank: int,
        *,
        progress: Callable[[Event], object] | None = None,
        control: Control | None = None,
    ) -> None:
        """Compute for a training that another machine leads, until it has ended.

        Args:
            hosts: the machines that train together, the same on each of them.
            rank: this machine's place in them, from 1.
            progress: called with a `Note` when the training begins and when it ends.
            control: a wish to stop ends the training, with a snapshot on the first machine.

        Raises:
            UsageError, EnvironmentFault: a host is missing or differs; and all that ends the training there.
        """
        from workflow.engines.base import Control
        from workflow.training import lend

        for event in lend(self.config, hosts, rank, control or Control()):
            if progress is not None:
                progress(event)

    def training(self, gen: int | None = None) -> Finding[dict[str, Any]]:
        """The result of a generation's training: accuracy, loss, snapshots, the best iteration.

        Raises:
            UsageError: no such generation.
        """
        from workflow.generations import existing
        from workflow.report.training import describe
        from workflow.training import summary

        curves = existing(self.config, gen).logs / "curves.png"
        facts = summary(self.config, gen)
        return Finding(
            found=facts,
            describe=lambda one, _: describe(one),
            document=lambda one, _: one,
            drawing=lambda _, folder: _copied(curves, folder),
            home=curves.parent,
        )

    def constant_answer(self, gen: int | None = None) -> str | None:
        """What the best constant answer reaches in the solver's test passes, in words; None without pictures.

        Raises:
            UsageError: no such generation.
        """
        from workflow.evaluation.metrics import constant_answer
        from workflow.generations import existing

        record = existing(self.config, gen).read()
        found = constant_answer(record.counts[record.solver_split])
        return None if found is None else found.words

    def import_(
        self,
        *paths: str | Path,
        gen: int = 0,
        mean: Path | None = None,
        labels: Path | None = None,
        channel_order: Literal["RGB", "BGR"] = "BGR",
        allow_network_fs: bool = False,
        progress: Progress | None = None,
    ) -> Finding[ImportResult]:
        """Make a generation of what Caffe's tools or DIGITS made, see `wf import`."""
        from workflow.importing import import_generation
        from workflow.importing.words import describe

        found = import_generation(
            self.config,
            [Path(path) for path in paths],
            number=gen,
            mean=mean,
            names=labels,
            channel_order=channel_order,
            allow_network_fs=allow_network_fs,
            progress=progress,
            command=self.command,
        )
        return Finding(found=found, describe=lambda one, _: describe(one))

    # ---- which snapshot answers ----

    def live(self) -> Finding[Live]:
        """The snapshot that answers where none is named, and why.

        Raises:
            UsageError: there is no snapshot.
        """
        from workflow.generations.live import live

        return Finding(found=live(self.config), describe=lambda one, _: one.words)

    def pin(self, reference: str) -> None:
        """Let this snapshot answer from now on.

        Raises:
            UsageError: no such snapshot, or it belongs to no generation.
        """
        from workflow.exams.choice import snapshot_of
        from workflow.generations import live
        from workflow.models import weights_file

        live.pin(self.config, weights_file.find(self.config, snapshot_of(reference), None))

    def unpin(self) -> None:
        """Let the newest generation whose training has ended answer again."""
        from workflow.generations import live

        live.unpin(self.config)

    def promote(self, *, progress: Progress | None = None) -> dict[str, Any]:
        """Pin the newest trained generation, unless it is worse.

        Returns:
            `promoted`, and `verdict` as of `diff`; None where there is nothing newer.

        Raises:
            FindingError: it is worse; nothing is changed.
        """
        from workflow.evaluation.promotion import promote

        return promote(self.config, progress=progress)

    # ---- comparing generations ----

    def evaluate(self, reference: str | Path | None = None, **options: Any) -> Finding[Any]:
        """`Snapshot.evaluate` of a snapshot; None is the live one."""
        return self.snapshot(reference).evaluate(**options)

    def folds(
        self,
        number: int = 5,
        *,
        gen: int | None = None,
        fresh: bool = False,
        progress: Callable[[Event], object] | None = None,
        control: Control | None = None,
    ) -> Finding[Folds] | None:
        """Train on `number` splits of a generation's pictures, so that each picture is judged by a net new to it.

        For few pictures, whose test set says little. The generation itself is left as it is.

        Args:
            number: of splits, at least 2: so many trainings.
            gen: the generation; None is the newest.
            fresh: train anew, whatever is there.
            progress: called with each event, as of `train`.
            control: asks the run to stop, from another thread; the next call resumes it.

        Returns:
            None where it was stopped.

        Raises:
            UsageError, NetError, DataError, DivergedError, EnvironmentFault: as `wf train`.
        """
        from workflow.engines.base import Control
        from workflow.evaluation.folds import of_folds
        from workflow.generations import existing
        from workflow.report.folds import describe
        from workflow.training.folds import train_folds

        control = control or Control()
        generation = existing(self.config, gen)
        for event in train_folds(self.config, generation, number, fresh=fresh, control=control):
            if progress is not None:
                progress(event)
        if control.stopping:
            return None
        made = [generation.fold(number, place) for place in range(1, number + 1)]
        return Finding(found=of_folds(self.config, generation, made), describe=describe)

    def diff(
        self,
        before: str,
        after: str,
        *,
        exam: str | None = None,
        folder: str | Path | None = None,
        history: bool = True,
        progress: Progress | None = None,
    ) -> Finding[Diff]:
        """Two snapshots on one exam: what is fixed, broken, still wrong, and whether that could be chance.

        Args:
            before: `gen4` (its best snapshot) or `gen4/iter_6000`.
            after: the same.
            exam: whose test set; None is the newer one's.
            folder: pictures in class folders instead.
            history: ask all generations, for pictures that changed between right and wrong.
            progress: called with (done, all).

        Raises:
            UsageError, DataError: no such snapshot or exam; nothing to compare.
        """
        from workflow.evaluation.diff import diff
        from workflow.paths import path_or_address
        from workflow.report.diff import describe, write_diff

        place = None if folder is None else path_or_address(folder)
        found = diff(self.config, before, after, exam=exam, folder=place, history=history, progress=progress)
        pixels = self.config.prepare.max_pixels
        return Finding(
            found=found,
            describe=describe,
            drawing=lambda one, target: write_diff(target, one, max_pixels=pixels),
            home=found.folder,
            document=lambda one, files: one.json() | {"files": dict(files)},
        )

    def overview(self) -> tuple[Overview, ...]:
        """What is recorded about every generation; nothing is computed."""
        from workflow.evaluation.overview import overview

        return overview(self.config)

    def log(self, *, exam: str | None = None, progress: Progress | None = None) -> Finding[tuple[Entry, ...]]:
        """Every generation: pictures added, removed, relabelled, and its accuracy.

        Args:
            exam: `gen5`: on whose test set every best snapshot is evaluated; None is the newest's, `own` is none.
            progress: called with (done, all).

        Raises:
            UsageError: there is no generation.
        """
        from workflow.evaluation.history import chain, newest_exam
        from workflow.exams.choice import named
        from workflow.report.trend import describe, draw_trend

        posed = newest_exam(self.config) if exam is None else None if exam == "own" else named(self.config, exam)
        name = None if posed is None else posed.name

        def draw(entries: tuple[Entry, ...], folder: Path) -> dict[str, Path]:
            draw_trend(entries, folder / "trend.png", exam=name)
            return {"trend": folder / "trend.png"}

        return Finding(
            found=chain(self.config, exam=posed, progress=progress),
            describe=lambda entries, pictures: describe(entries, pictures, exam=name),
            drawing=draw,
            home=self.config.generations,
            document=lambda entries, pictures: {
                "generations": [one.json() for one in entries],
                "exam": name,
                **pictures,
            },
        )

    def blame(self, image: Picture) -> Finding[Blame]:
        """Which generation added a picture, and what each generation predicts for it.

        Raises:
            UsageError: no such picture, no generation.
        """
        from workflow.evaluation.picture_history import blame
        from workflow.report.blame import describe

        return Finding(found=blame(self.config, Path(image)), describe=lambda one, _: describe(one))

    def junk(
        self,
        folder: str | Path,
        *,
        class_name: str | None = None,
        threshold: float = 0.5,
        max_rate: float = 0.01,
        gen: int | None = None,
        progress: Progress | None = None,
    ) -> Finding[Junk]:
        """The false-accept rate of every generation on unrelated pictures.

        Args:
            folder: the pictures.
            class_name: the class whose false accepts are counted; None is all but `other` and similar names.
            threshold: the probability from which an answer is accepted now.
            max_rate: the share of junk to stay under, 0..1.
            gen: the newest generation to ask; None is the newest.
            progress: called with (done, all).

        Raises:
            UsageError, DataError: no such folder or class; no picture can be read.
        """
        from workflow.evaluation.junk import junk
        from workflow.paths import path_or_address
        from workflow.report.junk import describe, document, draw_all

        found = junk(
            self.config,
            path_or_address(folder),
            class_name=class_name,
            threshold=threshold,
            max_rate=max_rate,
            number=gen,
            progress=progress,
        )
        pixels = self.config.prepare.max_pixels
        return Finding(
            found=found,
            describe=describe,
            drawing=lambda one, target: draw_all(one, target, sheet=_SHEET, max_pixels=pixels, project=self.root),
            home=found.target,
            document=document,
        )

    def film(
        self,
        image: Picture,
        *,
        gen: int | None = None,
        blobs: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Finding[Film]:
        """One picture in all snapshots of a generation; None is that of the live snapshot.

        Raises:
            UsageError, DataError: no such generation or blob; no snapshot; the picture cannot be read.
        """
        from workflow.generations.live import answering

        number = answering(self.config, gen).number
        newest = self.snapshot("latest", gen=number, tell=False)
        return newest.film(image, blobs=blobs, progress=progress)

    def generations_film(
        self,
        image: Picture,
        numbers: Sequence[int] | None = None,
        *,
        best: bool = False,
        blobs: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Finding[Lineage]:
        """One picture in several generations, channels matched by what they respond to.

        Args:
            image: a picture file.
            numbers: of the generations; None is all.
            best: the most accurate snapshot of each, not the newest.
            blobs: to show.
            progress: called with (done, all).
        """
        from workflow.generations import existing, places
        from workflow.interpretation.activations.generations_film import trace
        from workflow.report.lineage import describe, draw_lineage

        which: Literal["best", "latest"] = "best" if best else "latest"
        path = Path(image)
        found = trace(self.config, path, numbers=numbers, which=which, blobs=blobs, progress=progress)
        home = places.generations_film(existing(self.config, found.reference.generation), path)
        return Finding(found=found, describe=describe, drawing=draw_lineage, home=home)

    # ---- labels ----

    def suspects(
        self,
        reference: str | None = None,
        *,
        gen: int | None = None,
        top: int | None = None,
        out: Path | None = None,
        progress: Progress | None = None,
    ) -> Finding[Suspects]:
        """`Snapshot.suspects` of a snapshot; None is the live one, or the best of `gen`."""
        chosen = self.snapshot(reference or ("live" if gen is None else "best"), gen=gen)
        return chosen.suspects(top=top, out=out, progress=progress)

    def apply_suspects(self, table: str | Path) -> Finding[Applied]:
        """Take over the decisions that were filled into suspects.csv; the next `prepare` applies them.

        Raises:
            UsageError, DataError: the table cannot be read, or a decision is none.
        """
        from workflow.curation.decisions import apply
        from workflow.report.suspects import describe_applied

        path = Path(table)
        return Finding(found=apply(self.config, path), describe=lambda one, _: describe_applied(one, path))

    def undo_suspects(self, number: int | None = None) -> Finding[Undone]:
        """Undo applied decisions: the patch of that number, or the newest.

        Raises:
            UsageError: no such patch.
        """
        from workflow.data.corrections import undo
        from workflow.report.suspects import describe_undone

        return Finding(
            found=undo(self.config.generations, number),
            describe=lambda one, _: describe_undone(one),
            document=lambda one, _: {"undone": one.number, "decisions": one.count, "path": one.path},
        )

    def whatif(
        self,
        reference: str | None = None,
        *,
        gen: int | None = None,
        remove: Sequence[str | Path] = (),
        relabel: Mapping[Path, str] | None = None,
        add: str | Path | None = None,
        table: str | Path | None = None,
        images: Sequence[str | Path] = (),
        progress: Progress | None = None,
    ) -> Finding[WhatIf]:
        """Predict what a change of the training pictures would do; nothing is changed. See docs/whatif.md.

        Args:
            reference: the snapshot; None is the live one, or the best of `gen`.
            gen: its generation.
            remove: training pictures to leave out, known by their bytes.
            relabel: training picture -> its new class.
            add: a folder with a sub-folder for each class: more training pictures.
            table: a suspects.csv with decisions.
            images: pictures whose scores are told.
            progress: called with (done, all) while features are computed, once for each snapshot.

        Raises:
            UsageError: no edit; a picture is not a training picture; no such class.
            DataError: the table or a picture cannot be read.
        """
        from workflow.curation.whatif import Edits, whatif
        from workflow.report.whatif import describe

        model = self.snapshot(reference or ("live" if gen is None else "best"), gen=gen).model
        edits = Edits(
            remove=[Path(one) for one in remove],
            relabel={Path(path): name for path, name in (relabel or {}).items()},
            add=None if add is None else Path(add),
            table=None if table is None else Path(table),
        )
        paths = [Path(image) for image in images]
        found = whatif(self.config, model, edits, images=paths, progress=progress)
        return Finding(found=found, describe=lambda one, _: describe(one))

    def next(
        self,
        folder: str | Path,
        *,
        count: int = 50,
        gen: int | None = None,
        out: Path | None = None,
        progress: Progress | None = None,
    ) -> Finding[Next]:
        """What to label next out of an unlabelled pile. Drawing it writes next.csv, to be filled in, and sheets.

        Args:
            folder: pictures without labels.
            count: how many to choose.
            gen: the newest generation to ask; None is the newest.
            out: where it will be drawn; None is its own place.
            progress: called with (done, all).

        Raises:
            UsageError: a table there holds decisions that have not been applied.
        """
        from workflow.curation.decision_table import check_free
        from workflow.curation.next import choose
        from workflow.paths import path_or_address
        from workflow.report import next as report

        found = choose(self.config, path_or_address(folder), count=count, number=gen, progress=progress)

        def draw(one: Next, target: Path) -> dict[str, Path]:
            check_free(target / "next.csv")
            return report.draw_next(one, target, max_pixels=self.config.prepare.max_pixels)

        return Finding(
            found=found, describe=report.describe, drawing=draw, home=out or found.target, document=report.document
        )

    def apply_next(self, table: str | Path) -> Finding[Labelled]:
        """Copy the pictures that were decided in next.csv to their classes.

        Raises:
            UsageError, DataError: the table cannot be read, or a decision is none.
        """
        from workflow.curation.labelling import apply
        from workflow.report.next import describe_applied

        path = Path(table)
        return Finding(found=apply(self.config, path), describe=lambda one, _: describe_applied(one, path))

    def inbox(self) -> Inbox:
        """Open the inbox: what people sent, and what was decided about it; to be closed, or used in a `with`.

        Raises:
            UsageError: this is no project folder.
            DataError, BusyError, EnvironmentFault: it cannot be opened.
        """
        from workflow import project
        from workflow.generations import no_project
        from workflow.inbox import Inbox

        if not self.generations and not project.find(self.root):
            raise no_project(self.root.absolute())
        return Inbox(self.config)

    # ---- checks and pages ----

    def verify(
        self,
        reference: str | None = None,
        *,
        gen: int | None = None,
        engine: str | None = None,
        sample: int | None = None,
    ) -> Finding[Verification]:
        """Compare a generation's files, records and pictures, and what the net makes of them; `found.check()` raises.

        Args:
            reference: a snapshot; None is the latest of the generation.
            gen: the generation; None is the newest.
            engine: `torch`, `caffe` or `numpy`; None is the fastest.
            sample: records of each split to compare; None is 200.
        """
        from workflow.checks import verify as check
        from workflow.report.verification import describe

        size = check.SAMPLE if sample is None else sample
        found = check.verify(self.config, snapshot=reference, number=gen, engine=engine, sample=size)
        return Finding(found=found, describe=lambda one, _: describe(one))

    def report(
        self, gen: int | None = None, out: str | Path | None = None, *, progress: Progress | None = None
    ) -> Finding[dict[str, Any]]:
        """Everything about a generation on one HTML page that needs no server, and the same facts as JSON beside it.

        Args:
            gen: the generation; None is that of the live snapshot.
            out: the HTML file; None is report.html in the generation's folder.
            progress: called with (done, all).

        Returns:
            The facts; `path` is the HTML file.
        """
        from workflow.report.facts import gather
        from workflow.report.page import write_page

        found = gather(self.config, gen, progress=progress)
        path = write_page(found.facts, found.pictures, found.path if out is None else Path(out), project=self.root)
        facts = {"path": str(path), "facts": str(path.with_suffix(".json"))} | found.facts
        return Finding(found=facts, describe=lambda one, _: str(one["path"]), document=lambda one, _: one)


def _copied(file: Path, folder: Path) -> dict[str, Path]:
    """A picture that training drew, in another folder."""
    import shutil

    if not file.is_file():
        return {}
    target = folder / file.name
    if target != file:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return {"curves": target}
