"""The whole loop on the drawn set, step by step; each step is passed over when it is done already.

DIR/images/CLASS/*.png  DIR/images-sheet.png   set_up: the drawn pictures, and many of them on one sheet
DIR/configs  DIR/prototxt                      set_up: a project like any other, with the demo's settings
DIR/generations/gen1                           prepare, train
DIR/diagram.png  DIR/demo.png                  look: a picture of no Pip, and what the net sees in both
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from workflow import project
from workflow.config import Config
from workflow.data import manifest
from workflow.data.prepare import prepare as prepare_folders
from workflow.demo.comparison import compare
from workflow.demo.drawing import CHARACTER, draw, example_diagram
from workflow.engines.base import Control, Event
from workflow.errors import UsageError
from workflow.generations import Generation, existing, generations
from workflow.inspection.inspect import Inspection, inspect
from workflow.inspection.loading import load
from workflow.inspection.predict import predict
from workflow.storage import temporary_name
from workflow.training import train as train_generation

PICTURES = 800
CONFIG = Path("configs/demo.yaml")
_SOLVER = "demo_solver.prototxt"
_CANDIDATES = 12  # pictures of Pip among which the surest is shown

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What came of the demo; paths are relative to the folder that the caller is in."""

    generation: int
    test_accuracy: float | None
    inspections: tuple[Inspection, ...]
    """Of a picture of Pip and of the diagram."""
    sheet: Path
    """Many of the drawn pictures."""
    curves: Path
    comparison: Path
    """Both pictures and what the net makes of them, side by side."""


def set_up(folder: Path, *, count: int = PICTURES, progress: Progress | None = None) -> None:
    """Make `folder` a project with drawn pictures.

    Raises:
        UsageError: it holds pictures that were not drawn here.
    """
    images, sheet = folder / "images", _sheet(folder)
    if images.exists() and not sheet.exists():
        raise UsageError(f"{images} exists, and wf demo draws its own pictures", hint="wf demo ANOTHER_FOLDER")
    if not images.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(images)
        try:
            draw(temporary, count=count, progress=progress)
            temporary.with_name(f"{temporary.name}-sheet.png").replace(sheet)
            temporary.rename(images)  # last: pictures under this name are all there
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    if not (folder / "configs").exists():
        project.start(folder)
    here = Path(__file__).parent
    for source, target in ((here / CONFIG.name, folder / CONFIG), (here / _SOLVER, folder / "prototxt" / _SOLVER)):
        if not target.exists():
            shutil.copyfile(source, target)


def prepare(
    folder: Path, config: Config, *, progress: Progress | None = None, command: Sequence[str] = ()
) -> Generation:
    """Prepare the first generation, unless there is one."""
    with chdir(folder):
        if not generations(config.generations):
            prepare_folders(config, progress=progress, command=command)
        return existing(config.generations)


def train(
    folder: Path, config: Config, *, control: Control | None = None, command: Sequence[str] = ()
) -> Iterator[Event]:
    """Train it, or go on with that; the events of the run."""
    with chdir(folder):
        yield from train_generation(config, control=control, command=command)


def look(folder: Path, config: Config) -> Looked:
    """Inspect a picture of Pip from the test set and a diagram, with the last snapshot."""
    with chdir(folder):
        diagram = Path("diagram.png")
        example_diagram().save(diagram)
        generation = existing(config.generations)
        model = load(config, number=generation.number)
        with model.open() as session:
            labelled = predict(model, session, _some_of_the_test_set(generation)).predictions
            portrait = max(labelled, key=lambda one: one.probabilities[CHARACTER]).path
            found = tuple(inspect(model, session, (portrait, diagram)))
        comparison = Path("demo.png")
        compare(found, comparison)
        training = generation.read().training
        return Looked(
            generation=generation.number,
            test_accuracy=training.get("test_accuracy"),
            inspections=found,
            sheet=folder / _sheet(Path()),
            curves=folder / generation.logs / "curves.png",
            comparison=folder / comparison,
        )


def _some_of_the_test_set(generation: Generation) -> list[Path]:
    portraits = (
        Path(image.path)
        for image in manifest.read(generation.manifest)
        if image.split == "test" and image.class_name == CHARACTER
    )
    return list(islice(portraits, _CANDIDATES))


def _sheet(folder: Path) -> Path:
    return folder / "images-sheet.png"
