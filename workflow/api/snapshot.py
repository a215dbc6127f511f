"""A snapshot of a network, and every way to look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workflow.api.result import Finding, Pictures

if TYPE_CHECKING:
    from workflow.api.judging import Judging
    from workflow.config import Config, Preprocessing
    from workflow.curation.suspects import Suspects
    from workflow.evaluation.mistakes import Mistakes
    from workflow.evaluation.result import Evaluation
    from workflow.exams.exam import Exam
    from workflow.exams.predict import Prediction, Predictions
    from workflow.generations import Generation
    from workflow.interpretation.activations.film import Film
    from workflow.interpretation.activations.inspect import Inspection
    from workflow.interpretation.activations.side_by_side import Comparison
    from workflow.interpretation.attribution.explain import Explanation
    from workflow.interpretation.attribution.logit_account import Ledger
    from workflow.interpretation.examples.channels import Channels
    from workflow.interpretation.examples.twin import Twin
    from workflow.interpretation.synthesis.dream import Maximum
    from workflow.interpretation.synthesis.invert import Inversion
    from workflow.models.model import Model

Progress = Callable[[int, int], None]
"""Called with (done, all) while something takes long."""
Picture = str | Path
"""A picture file; a relative path is relative to the current folder."""


class Snapshot:
    """One snapshot, loaded; made by `Project.snapshot`.

    Every method opens the net for itself: threads may share a snapshot as long as each calls methods of its own.
    Methods that need training pictures raise UsageError for a model from elsewhere.
    """

    def __init__(self, config: Config, model: Model) -> None:
        self.config = config
        """Of the project that it was loaded in."""
        self.model = model
        """The net, its weights, classes, preprocessing and mean."""

    def __repr__(self) -> str:
        return f"<Snapshot {self.name}>"

    @property
    def name(self) -> str:
        """`gen5/iter_6000`, or the path of a model from elsewhere."""
        return self.model.name

    @property
    def source(self) -> Path:
        """The deploy net's file."""
        return self.model.source

    @property
    def classes(self) -> tuple[str, ...] | None:
        """In the order of the net's outputs; None where they are not known."""
        return self.model.classes

    # ---- labels ----

    def predict(self, image: Picture, *, accept_all: bool = False, engine: str | None = None) -> Prediction:
        """The label of one picture: `label`, `probability` (0..1) and `probabilities` of each class.

        The label is `unknown` where the picture is too far from the training pictures, if the snapshot has a limit for
        that; `class_name` is the most probable class. `accept_all` makes that the label, whatever the distance.

        Raises:
            DataError: the picture cannot be read.
            NetError: the net gives no class.
        """
        (found,) = self.predict_all([image], accept_all=accept_all, engine=engine).found.predictions
        return found

    def judging(self) -> Judging:
        """The net, opened once for many pictures that are decoded elsewhere; see `Judging`."""
        from workflow.api.judging import Judging

        return Judging(self.model)

    def predict_all(
        self,
        images: Iterable[Picture],
        *,
        accept_all: bool = False,
        engine: str | None = None,
        ignore: Sequence[str] = (),
        lists: Iterable[Picture] = (),
        shares: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Finding[Predictions]:
        """The labels of pictures and of whole folders; what cannot be read is in `skipped`.

        Args:
            images: picture files, or folders or tars of them.
            accept_all: as of `predict`.
            engine: `torch`, `caffe` or `numpy`; None is the fastest.
            ignore: layers whose weights do not fit and are left out.
            lists: text files with the path of a picture on each line, relative to the list.
            shares: the folder in which `predict_share` has done all shares; nothing is computed then.
            progress: called with (done, all).

        Raises:
            DataError: no picture can be read, or shares are missing.
        """
        from workflow.exams import novelty, predict
        from workflow.exams.files import pictures
        from workflow.paths import path_or_address
        from workflow.report.predictions import describe

        files = pictures(map(path_or_address, images), list(map(Path, lists)))
        rule = None if accept_all else novelty.read(self.model)
        found = predict.predict(
            self.model,
            files,
            rule=rule,
            engine=engine,
            ignore=ignore,
            shares=None if shares is None else path_or_address(shares),
            progress=progress,
        )
        return Finding(found=found, describe=lambda one, _: describe(one))

    def predict_share(
        self,
        images: Iterable[Picture],
        out: str | Path,
        share: str,
        *,
        accept_all: bool = False,
        engine: str | None = None,
        ignore: Sequence[str] = (),
        lists: Iterable[Picture] = (),
        progress: Progress | None = None,
    ) -> int:
        """Do a share of `predict_all`, on any machine; `predict_all(…, shares=out)` then gives the labels.

        Args:
            images: all pictures, as of `predict_all`.
            out: a folder that all machines see; what is done already is not done again.
            share: `3/64`, the third of 64.
            accept_all: as of `predict`.
            engine: `torch`, `caffe` or `numpy`; None is the fastest.
            ignore: layers whose weights do not fit and are left out.
            lists: as of `predict_all`.
            progress: called with (done, all).

        Returns:
            How many files the share has.

        Raises:
            UsageError: the folder belongs to other pictures or to another snapshot.
        """
        from workflow.exams import novelty, predict
        from workflow.exams.files import pictures
        from workflow.paths import path_or_address

        files = pictures(map(path_or_address, images), list(map(Path, lists)))
        rule = None if accept_all else novelty.read(self.model)
        return predict.predict_share(
            self.model, files, path_or_address(out), share, rule=rule, engine=engine, ignore=ignore, progress=progress
        )

    def lines(self, found: Finding[Predictions]) -> Iterator[str]:
        """The words of `predict_all` line by line: one for each picture, and how many there are of each label."""
        from workflow.report.predictions import lines

        return lines(found.found)

    def write_csv(self, found: Finding[Predictions], out: str | Path) -> None:
        """Write the labels of `predict_all` as a table: path, label, probability, and a column for each class."""
        from workflow.exams.predict import write_csv

        write_csv(Path(out), found.found)

    def sort(self, found: Finding[Predictions], folder: str | Path, *, copy: bool = False) -> dict[str, str | None]:
        """Make FOLDER/CLASS/ of links to the pictures of `predict_all`, the most confident first.

        Args:
            found: of `predict_all`.
            folder: what an earlier call made, or nothing.
            copy: make copies instead of links.

        Returns:
            Path of a picture -> its link.

        Raises:
            UsageError: the folder was not made by wf.
        """
        from workflow.evaluation.links import class_folder, write_sorted

        surest = sorted(found.found.predictions, key=lambda one: -one.probability)
        entries = [(one.path, class_folder(one.label), one.probability) for one in surest]
        links = write_sorted(Path(folder), entries, copy=copy)
        return {str(one.path): link for one, link in zip(surest, links, strict=True)}

    # ---- one picture ----

    def inspect(
        self, image: Picture, *, blobs: Sequence[str] | None = None, engine: str | None = None
    ) -> Finding[Inspection]:
        """What the net sees in a picture: every blob's shape, the probabilities, a grid of each blob asked for.

        Args:
            image: a picture file.
            blobs: to draw; None is conv1, conv2, conv3 and pool3, or the first 12 maps of another net.
            engine: `torch`, `caffe` or `numpy`; None is the fastest.

        Raises:
            DataError: the picture cannot be read.
            UsageError: no such blob.
        """
        (found,) = self.inspect_all([image], blobs=blobs, engine=engine)
        return found

    def inspect_all(
        self,
        images: Sequence[Picture],
        *,
        blobs: Sequence[str] | None = None,
        engine: str | None = None,
        ignore: Sequence[str] = (),
        save_blobs: Path | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Finding[Inspection]]:
        """`inspect` for several pictures, one after the other.

        Args:
            images: picture files.
            blobs: as of `inspect`.
            engine: as of `inspect`.
            ignore: layers whose weights do not fit and are left out.
            save_blobs: an npz file that gets every blob, written behind the last picture.
            progress: called with (done, all).
        """
        from workflow.exams.dead_channels import silent_channels
        from workflow.interpretation.activations import inspect as look
        from workflow.report import inspection

        paths = [Path(image) for image in images]
        silent = silent_channels(self.model)
        with self.model.open(engine, images=len(paths), ignore=ignore) as session:
            inspections = look.inspect(self.model, session, paths, blobs=blobs, draw=False, save_blobs=save_blobs)
            for done, found in enumerate(inspections, start=1):
                dead = {name: one for name, one in silent.items() if name in found.maps}
                yield Finding(
                    found=found,
                    describe=partial(inspection.describe, silent=dead),
                    drawing=lambda one, folder: inspection.draw_inspection(one, self._preprocessing, folder),
                    home=self.model.place.picture(found.image),
                    document=partial(inspection.document, silent=dead),
                )
                if progress is not None:
                    progress(done, len(paths))

    def compare(
        self,
        images: Sequence[Picture],
        *,
        blobs: Sequence[str] | None = None,
        channels: Sequence[int] = (),
        order: Literal["number", "activity"] = "number",
        top: int | None = None,
        each_channel: bool = False,
        engine: str | None = None,
        ignore: Sequence[str] = (),
    ) -> Finding[Comparison]:
        """Pictures side by side, blob by blob, on one colour scale.

        Args:
            images: picture files; one is possible, too.
            blobs: as of `inspect`.
            channels: only these.
            order: of the channels; `activity` puts the strongest first.
            top: this many channels at most.
            each_channel: a colour scale for each channel, not for each blob.
            engine: as of `inspect`.
            ignore: layers whose weights do not fit and are left out.
        """
        from workflow.interpretation.activations import side_by_side
        from workflow.report import comparison

        paths = [Path(image) for image in images]
        with self.model.open(engine, images=len(paths), ignore=ignore) as session:
            found = side_by_side.compare(
                self.model,
                session,
                paths,
                blobs=blobs,
                channels=channels,
                order=order,
                top=top,
                each_channel=each_channel,
            )
        return Finding(
            found=found,
            describe=comparison.describe_comparison,
            drawing=lambda one, folder: comparison.draw_comparison(one, self._preprocessing, folder),
            home=self.model.place.comparison(paths),
            document=lambda one, pictures: {"pictures": dict(pictures), "snapshot": one.snapshot, "blobs": one.json()},
        )

    def twin(
        self,
        image: Picture,
        *,
        class_name: str | None = None,
        blob: str | None = None,
        progress: Progress | None = None,
    ) -> Finding[Twin]:
        """A false positive beside the true positive that is nearest to it: where they meet, and why.

        Args:
            image: a picture file.
            class_name: None is the predicted class.
            blob: the blob whose channels are tested; None: where it starts to look like the class.
            progress: called with (done, all) while the training set is read.
        """
        self.model.require_class(class_name)
        from workflow.interpretation.examples.twin import twin  # PyTorch, which a typing error need not load
        from workflow.report.twin import describe, draw_twin

        found = twin(
            self.model,
            Path(image),
            class_name=class_name,
            blob=blob,
            generations=self._generations,
            progress=progress,
        )
        return self._about(found, describe, lambda one, out: draw_twin(one, self._preprocessing, out), "twin")

    def maps(
        self,
        image: Picture,
        *,
        methods: Sequence[str] = (),
        class_name: str | None = None,
        unit: str | None = None,
        layer: str | None = None,
        progress: Progress | None = None,
    ) -> Finding[Explanation]:
        """Which parts of a picture matter for a class or a unit, by several methods, each of which is tested.

        Args:
            image: a picture file.
            methods: `saliency`, `grad-cam` …; none is all of them.
            class_name: None is the predicted class.
            unit: instead of a class: `conv3:17` or `conv3:17,2,3`.
            layer: Grad-CAM's blob.
            progress: called with (done, all).

        Raises:
            UsageError: a class and a unit are given; no such class, unit, method or blob.
        """
        from workflow.errors import UsageError

        self.model.require_class(class_name)
        self.model.require_unit(unit)
        from workflow.interpretation.attribution.explain import explain  # PyTorch, which a typing error need not load
        from workflow.interpretation.attribution.maps import Options
        from workflow.report.maps import describe, draw_maps

        if class_name is not None and unit is not None:
            raise UsageError("--class and --unit cannot be used together", hint="use one of them")
        found = explain(
            self.model,
            Path(image),
            names=methods,
            class_name=class_name,
            unit_name=unit,
            options=Options(layer=layer),
            progress=progress,
        )
        name = f"maps-{found.target.slug}"
        return self._about(found, describe, lambda one, out: draw_maps(one, self._preprocessing, out), "maps", name)

    def why(
        self,
        image: Picture,
        *,
        class_name: str | None = None,
        against: str | None = None,
        nearest: int = 8,
        metric: Literal["l2", "cosine"] = "l2",
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> Finding[Ledger]:
        """The exact account of a score, cell by cell, and the nearest training pictures.

        Args:
            image: a picture file.
            class_name: None is the predicted class.
            against: the class to compare with; None is the most probable other one.
            nearest: how many training pictures to name.
            metric: of the distance between features.
            engine: as of `inspect`.
            progress: called with (done, all) while the training set is read.
        """
        from workflow.interpretation.attribution.logit_account import why
        from workflow.paths import file_stem
        from workflow.report.ledger import describe, draw_ledger

        found = why(
            self.model,
            Path(image),
            label=class_name,
            against=against,
            count=nearest,
            metric=metric,
            generations=self._generations,
            engine=engine,
            progress=progress,
        )
        return self._about(
            found,
            describe,
            lambda one, out: draw_ledger(one, self.model, out),
            "ledger",
            "-".join(["ledger", *(file_stem(name) for name in (class_name, against) if name is not None)]),
            document=lambda one, pictures: one.json() | ({"picture": pictures["ledger"]} if pictures else {}),
        )

    def invert(
        self,
        image: Picture,
        *,
        blobs: Sequence[str] = (),
        train_decoders: bool = False,
        steps: int | None = None,
        progress: Progress | None = None,
    ) -> Finding[Inversion]:
        """What each layer keeps of a picture: the picture rebuilt from the activations.

        Args:
            image: a picture file.
            blobs: to rebuild from; none is each convolution, the last pooling and the first flat blob.
            train_decoders: train the decoders that are missing, a minute or two each, and keep them.
            steps: of the optimisation.
            progress: called with (done, all).
        """
        from dataclasses import replace

        from workflow.interpretation.synthesis.invert import rebuild
        from workflow.interpretation.synthesis.reconstruction import Settings
        from workflow.report.inversion import describe, draw_inversion

        settings = Settings()
        settings = replace(settings, steps=steps or settings.steps)
        found = rebuild(
            self.model, Path(image), blobs=blobs, train=train_decoders, settings=settings, progress=progress
        )
        return self._about(found, describe, lambda one, out: draw_inversion(one, self._preprocessing, out), "invert")

    def film(
        self, image: Picture, *, blobs: Sequence[str] | None = None, progress: Progress | None = None
    ) -> Finding[Film]:
        """One picture in all snapshots of this one's generation.

        Raises:
            UsageError: the model belongs to no generation; no such blob.
        """
        from workflow.generations import places
        from workflow.interpretation.activations.film import shoot
        from workflow.report.film import describe, draw_film

        generation = self._generation("its other snapshots are not known")
        path = Path(image)
        found = shoot(self.config, path, number=generation.number, blobs=blobs, progress=progress)
        return Finding(
            found=found,
            describe=describe,
            drawing=lambda one, folder: draw_film(one, self._preprocessing, folder),
            home=places.film(generation, path),
        )

    def page(
        self,
        image: Picture,
        folder: Path | None = None,
        *,
        counting: Callable[[str, str], Progress] | None = None,
    ) -> Path:
        """Everything about one picture on one HTML page that needs no server; each picture is beside it, too.

        What cannot be done for this net or this picture has its reason on the page.

        Args:
            image: a picture file.
            folder: gets page.html and the pictures; None is the picture's own place.
            counting: called with what is done and what is counted, gives what is called with (done, all).

        Returns:
            The HTML file.
        """
        from workflow.api.picture_page import write_page

        return write_page(self, Path(image), folder, counting)

    # ---- the net itself ----

    def channels(
        self, blob: str, channels: Sequence[int] = (), *, progress: Progress | None = None
    ) -> Finding[Channels]:
        """What each channel of a blob looks for: the nine training patches that most excite it, and its maximum.

        Args:
            blob: such as `conv3`.
            channels: only these; none is all.
            progress: called with (done, all) while the training set is read.
        """
        self.model.require_unit(blob)
        from workflow.interpretation.examples.channels import look_for  # PyTorch, which a typing error need not load
        from workflow.report.channels import describe, draw_channels

        found = look_for(self.model, blob, channels=channels, progress=progress)
        name = f"{blob.replace('/', '_')}{''.join(f'-{number}' for number in channels[:4])}"

        def draw(one: Channels, folder: Path) -> dict[str, Path]:
            out = folder / f"{name}.png"
            draw_channels(one, self._preprocessing, out)
            return {blob: out}

        return Finding(found=found, describe=describe, drawing=draw, home=self.model.place.whole("channels"))

    def dream(
        self,
        class_name: str | None = None,
        *,
        unit: str | None = None,
        steps: int | None = None,
        seeds: int | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Finding[Maximum]:
        """The picture that most excites a class or a unit.

        Args:
            class_name: a class; or
            unit: `conv3:17` or `conv3:17,2,3`.
            steps: of the ascent (128).
            seeds: starts, the best of which is kept (4).
            seed: of the random numbers.
            progress: called with (done, all).

        Raises:
            UsageError: neither is given, or both are.
            FindingError: the unit is dead.
        """
        from workflow.errors import UsageError

        if (class_name is None) == (unit is None):
            raise UsageError("dream is about one class or one unit", hint="dream('cat') or dream(unit='conv3:17')")
        classes, units = ([class_name], []) if class_name is not None else ([], [unit or ""])
        (found,) = self.dream_all(classes, units, steps=steps, seeds=seeds, seed=seed, progress=progress)
        return found

    def dream_all(
        self,
        classes: Sequence[str] = (),
        units: Sequence[str] = (),
        *,
        steps: int | None = None,
        seeds: int | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> list[Finding[Maximum]]:
        """`dream` for several classes, or several units of one blob; for all classes where none is named.

        Dead units are left out, with a warning.

        Raises:
            FindingError: all are dead.
        """
        from dataclasses import replace

        self.model.require_class(*classes)
        self.model.require_unit(*units)
        from workflow.interpretation.synthesis.ascent import Recipe  # PyTorch, which a typing error need not load
        from workflow.interpretation.synthesis.dream import alive, maximise
        from workflow.report.dream import describe, draw_dream

        recipe = Recipe(seed=seed)
        recipe = replace(recipe, steps=steps or recipe.steps, seeds=seeds or recipe.seeds)
        found = alive(maximise(self.model, classes=classes, units=units, recipe=recipe, progress=progress))
        home = self.model.place.whole("dream")
        return [
            Finding(
                found=one,
                describe=describe,
                drawing=lambda one, folder: draw_dream(one, self._preprocessing, folder),
                home=home,
            )
            for one in found
        ]

    def filters(self, out: str | Path) -> Path:
        """Draw the first convolution's filters as colours.

        Raises:
            NetError: it has none that look at pictures.
        """
        from workflow.interpretation.activations.filters import draw_filters

        return draw_filters(self.model, Path(out))

    # ---- exams ----

    def evaluate(
        self,
        folder: str | Path | None = None,
        *,
        gen: int | None = None,
        part: str = "test",
        fresh: bool = False,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> Finding[Evaluation]:
        """Accuracy with its interval, confusion, each class, calibration and thresholds on labelled pictures.

        A snapshot without a temperature gets one, where its generation has validation pictures.

        Args:
            folder: pictures in class folders; None is the test set.
            gen: the generation whose test set it is; None is the snapshot's own.
            part: `validation` shows the pictures that chose the best snapshot, in place of the test set.
            fresh: show the pictures to the net again, whatever is kept.
            engine: as of `inspect`; one that is named looks again, too.
            progress: called with (done, all).

        Raises:
            UsageError, DataError, NetError: no such test set; no labelled picture; classes that do not match.
        """
        from dataclasses import replace

        from workflow.evaluation.evaluate import evaluate, write
        from workflow.report.confusion import draw_confusion
        from workflow.report.evaluation import describe
        from workflow.training.confidence import fit

        exam = self._exam(folder, gen, part)
        self.model = fit(self.model, progress=progress)
        fresh = fresh or engine is not None
        found = evaluate(self.model, exam, fresh=fresh, engine=engine, progress=progress)

        def draw(one: Evaluation, target: Path) -> dict[str, Path]:
            written = write(target, one)
            picture = target / "confusion.png"
            title = f"{one.answers.snapshot} on {one.answers.exam}"
            draw_confusion(one.confusion, one.answers.classes, picture, title=title)
            return {"predictions": written.predictions or target / "predictions.csv", "confusion": picture}

        def document(one: Evaluation, pictures: Pictures) -> dict[str, Any]:
            facts = replace(one, predictions=pictures.get("predictions")).json()
            return facts | ({"pictures": {"confusion": pictures["confusion"]}} if pictures else {})

        home = self._exam_place(exam)
        return Finding(found=found, describe=describe, drawing=draw, home=home, document=document)

    def mistakes(
        self,
        folder: str | Path | None = None,
        *,
        gen: int | None = None,
        cell: str | None = None,
        top: int = 100,
        fresh: bool = False,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> Finding[Mistakes]:
        """The wrong pictures, most confident first.

        Drawing it makes a contact sheet, and a folder of links with a sub-folder for each cell of the confusion matrix.

        Args:
            folder: as of `evaluate`.
            gen: as of `evaluate`.
            cell: only these, such as `cat:dog`.
            top: how many are drawn.
            fresh: as of `evaluate`.
            engine: as of `evaluate`.
            progress: called with (done, all).
        """
        from workflow.evaluation import links
        from workflow.evaluation import mistakes as wrong
        from workflow.exams import cache
        from workflow.report import mistakes as report

        exam = self._exam(folder, gen)
        fresh = fresh or engine is not None
        answers = cache.answers(self.model, exam, fresh=fresh, engine=engine, progress=progress)
        chosen = None if cell is None else wrong.parse_cell(cell, answers.classes)
        every = wrong.mistakes(answers)
        name = "mistakes" if chosen is None else f"mistakes-{links.cell_name(chosen)}"

        def draw(one: Mistakes, target: Path) -> dict[str, Path]:
            links.write_links(target / "mistakes", every)
            return report.draw_mistakes(one, target, name, top=top, max_pixels=self.model.max_pixels)

        return Finding(
            found=every if chosen is None else every.within(chosen),
            describe=report.describe,
            drawing=draw,
            home=self._exam_place(exam),
            document=lambda one, pictures: report.document(one, every, pictures),
        )

    def suspects(
        self, *, top: int | None = None, out: Path | None = None, progress: Progress | None = None
    ) -> Finding[Suspects]:
        """Labels of this generation's pictures that are probably wrong, and near-duplicates.

        Drawing it writes suspects.csv, to be filled in, twins.csv and a contact sheet.

        Args:
            top: how many are listed; None is 6 % of the pictures.
            out: where it will be drawn; None is the snapshot's own place.
            progress: called with (done, all).

        Raises:
            UsageError: the model belongs to no generation; a table there holds decisions that have not been applied.
        """
        from workflow.curation import decisions
        from workflow.curation import suspects as doubt
        from workflow.report import suspects as report

        place = doubt.folder(self.model)
        home = out or place
        decisions.check_free(self.config.generations, home / "suspects.csv")

        def draw(one: Suspects, target: Path) -> dict[str, Path]:
            decisions.check_free(self.config.generations, target / "suspects.csv")  # filled in meanwhile?
            return report.draw_suspects(one, target, place, max_pixels=self.model.max_pixels)

        found = doubt.suspects(self.config, self.model, top=top, progress=progress)
        return Finding(found=found, describe=report.describe, drawing=draw, home=home, document=report.document)

    # ---- export ----

    def export_onnx(self, out: str | Path) -> tuple[float, float]:
        """Write an ONNX model, checked in onnxruntime.

        Returns:
            The greatest difference to wf's own engine, as a part of the output's greatest value; and the allowed one.
        """
        from workflow.export.onnx_file import TOLERANCE, export_onnx

        return export_onnx(self.model, Path(out)), TOLERANCE

    def export_bundle(self, out: str | Path) -> list[str]:
        """Write an archive of Caffe's files: deploy net, weights, mean, labels, info.json.

        Returns:
            The names in it.
        """
        import tempfile

        from workflow.export.bundle import export_bundle

        with tempfile.TemporaryDirectory(prefix="wf-export-") as folder:
            return list(export_bundle(self.model, Path(out), Path(folder)))

    # ---- where results go ----

    def folders(self, images: Sequence[Picture], out: Path | None = None) -> list[Path]:
        """Where the results of `inspect` go for each of several pictures."""
        from workflow.interpretation.activations.inspect import folders

        return folders(self.model, [Path(image) for image in images], out)

    def check_place(self, out: Path | None) -> None:
        """Check that the results of an exam have a place, before it is run.

        Raises:
            UsageError: no folder is named, and the model belongs to no generation.
        """
        from workflow.errors import UsageError

        if out is None and (self.model.generation is None or self.model.iteration is None):
            raise UsageError(f"{self.name} belongs to no generation, so nothing is cached", hint="use --out DIR")

    # ---- within ----

    @property
    def _preprocessing(self) -> Preprocessing:
        return self.model.preprocessing

    @cached_property
    def _generations(self) -> list[Generation]:
        from workflow.generations import generations

        return generations(self.config)

    def _generation(self, otherwise: str) -> Generation:
        from workflow.errors import UsageError

        if self.model.generation is None:
            raise UsageError(f"{self.name} belongs to no generation: {otherwise}")
        return self.model.generation

    def _exam(self, folder: str | Path | None, gen: int | None, part: str = "test") -> Exam:
        from workflow.exams import exam
        from workflow.paths import path_or_address

        path = None if folder is None else path_or_address(folder)
        return exam.asked(self.config, self.model, folder=path, number=gen, split=part)

    def _exam_place(self, exam: Exam) -> Path | None:
        from workflow.exams import cache

        kept = self.model.generation is not None and self.model.iteration is not None
        return cache.folder(self.model, exam) if kept else None

    def _about(
        self,
        found: Any,
        describe: Callable[[Any, Pictures], str],
        draw: Callable[[Any, Path], None],
        key: str,
        name: str | None = None,
        document: Callable[[Any, Pictures], dict[str, Any]] | None = None,
    ) -> Finding[Any]:
        """A finding about one picture that one PNG shows."""

        def drawing(one: Any, folder: Path) -> dict[str, Path]:
            out = folder / f"{name or key}.png"
            draw(one, out)
            return {key: out}

        home = self.model.place.picture(found.image)
        return Finding(found=found, describe=describe, drawing=drawing, home=home, document=document)
