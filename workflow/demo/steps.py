"""The whole loop on the drawn set, step by step; finished steps are skipped.

DIR/images/CLASS/*.png  DIR/images-sheet.png   set_up: the drawn pictures, and many of them on one sheet
DIR/configs  DIR/prototxt                      set_up: a project like any other, with the demo's settings
DIR/generations/gen1                           prepare, train
DIR/junk/KIND/*.png                            look: unrelated pictures, the worst of which is examined
DIR/demo.png  DIR/false-positive.png           what the net sees in Pip and in that picture, and why
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from workflow.config import Config
from workflow.data import manifest
from workflow.data.prepare import prepare as prepare_folders
from workflow.demo.comparison import compare
from workflow.demo.drawing import CHARACTER, OTHER, draw
from workflow.demo.junk import draw_junk
from workflow.engines.base import Control, Event
from workflow.errors import UsageError
from workflow.exams.predict import Prediction, predict
from workflow.generations import Generation, existing, generations
from workflow.interpretation.activations.inspect import Inspection, inspect
from workflow.interpretation.examples.twin import twin
from workflow.models.loading import load
from workflow.project import starting
from workflow.report.twin import describe_counterfactuals, draw_twin
from workflow.storage import temporary_name
from workflow.training import train as train_generation

PICTURES = 800
JUNK = 160
CONFIG = Path("configs/default.yaml")
"""The demo's settings, so that every command in the folder follows them."""
_SOLVER = "demo_solver.prototxt"
_CANDIDATES = 12  # pictures of Pip, the most confident of which is shown

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The results of the demo; paths are absolute if the project folder is."""

    generation: int
    test_accuracy: float | None
    inspections: tuple[Inspection, ...]
    """Inspections of a picture of Pip and of the worst unrelated picture."""
    sheet: Path
    """Many of the drawn pictures."""
    curves: Path
    comparison: Path
    """Both pictures and what the net makes of them, side by side."""
    worst: Prediction
    """The unrelated picture that looks most like Pip to the net."""
    accepted: int
    """Unrelated pictures that are labelled as Pip."""
    junk: int
    """All of them."""
    twin: Path
    """The picture that explains the answer for the worst one."""
    words: str
    """That in a sentence."""


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
    here = Path(__file__).parent
    if not (folder / "configs").exists():
        starting.start(folder)
        shutil.copyfile(here / "demo.yaml", folder / CONFIG)
    if not (folder / "prototxt" / _SOLVER).exists():
        shutil.copyfile(here / _SOLVER, folder / "prototxt" / _SOLVER)


def prepare(config: Config, *, progress: Progress | None = None, command: Sequence[str] = ()) -> Generation:
    """Prepare the first generation, unless there is one."""
    if not generations(config):
        prepare_folders(config, progress=progress, command=command)
    return existing(config)


def train(config: Config, *, control: Control | None = None, command: Sequence[str] = ()) -> Iterator[Event]:
    """Train it, or resume training; yields the events of the run."""
    return train_generation(config, control=control, command=command)


def look(config: Config) -> Looked:
    """Inspect a picture of Pip from the test set and the unrelated picture that looks most like Pip to the net."""
    folder = config.project
    generation = existing(config)
    model = load(config, snapshot="live")  # the snapshot that every command takes
    with model.open() as session:
        labelled = predict(model, _some_of_the_test_set(generation)).predictions
        portrait = Path(max(labelled, key=lambda one: one.probabilities[CHARACTER]).path)
        judged = predict(model, draw_junk(folder / "junk", count=JUNK)).predictions
        worst = min(judged, key=lambda one: one.probabilities[OTHER])  # of several at 1.0, too
        found = tuple(inspect(model, session, (portrait, Path(worst.path))))
    comparison, sheet = folder / "demo.png", folder / "false-positive.png"
    compare(found, comparison)
    its_twin = twin(model, Path(worst.path), class_name=CHARACTER, generations=[generation])
    draw_twin(its_twin, model.preprocessing, sheet)
    best = generation.read().best
    return Looked(
        generation=generation.number,
        test_accuracy=None if best is None else best.test_accuracy,
        inspections=found,
        sheet=_sheet(folder),
        curves=generation.logs / "curves.png",
        comparison=comparison,
        worst=worst,
        accepted=sum(one.label == CHARACTER for one in judged),
        junk=len(judged),
        twin=sheet,
        words=describe_counterfactuals(its_twin),
    )


def _some_of_the_test_set(generation: Generation) -> list[Path]:
    portraits = (Path(image.path) for image in manifest.read(generation, "test") if image.class_name == CHARACTER)
    return list(islice(portraits, _CANDIDATES))


def _sheet(folder: Path) -> Path:
    return folder / "images-sheet.png"
