"""Collect everything that the report shows about a generation."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from workflow.config import Config
from workflow.errors import WorkflowError
from workflow.evaluation import history
from workflow.evaluation.diff import diff
from workflow.evaluation.evaluate import evaluate, write
from workflow.evaluation.history import Entry
from workflow.evaluation.mistakes import Mistake, mistakes
from workflow.exams import cache
from workflow.exams.answers import Progress
from workflow.exams.exam import of_generation
from workflow.generations import Generation, Record, places
from workflow.generations.live import answering
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.inspect import DEFAULTS
from workflow.models.loading import load
from workflow.models.model import Model
from workflow.paths import located, path_or_address
from workflow.report import embed
from workflow.report.trend import draw_trend

_PATHS = ("path", "picture", "twin")  # keys of documents that commands write
_LOOKED_INTO = 3  # mistakes whose blobs are shown


@dataclass(frozen=True, kw_only=True)
class Report:
    """The content of a page."""

    facts: dict[str, Any]
    """JSON's own types; what is not known is None."""
    pictures: dict[str, Any] = field(default_factory=dict)
    """Data URIs, for the page alone."""
    path: Path
    """The default path of the page."""


def gather(config: Config, number: int | None = None, *, progress: Progress | None = None) -> Report:
    """The facts about a generation and its best snapshot.

    Junk and suspects are in it if `wf junk` and `wf suspects` have been asked about this generation.

    Args:
        config: says where the generations are.
        number: the generation; None is the one that `wf live` shows.
        progress: called with (done, all) while the test pictures are shown to the net.

    Raises:
        UsageError: there is no such generation, or it has no snapshot.
        NetError, DataError: as `evaluate`.
    """
    generation = answering(config, number)
    model = load(config, snapshot="best", number=generation.number)
    record = generation.read()
    exam = of_generation(generation, model)
    folder = cache.folder(model, exam)
    found = write(folder, evaluate(model, exam, progress=progress))
    wrong = mistakes(found.answers)
    posed = history.newest_exam(config)
    chain = history.chain(config, exam=posed, progress=progress)
    entry = next((one for one in chain if one.generation.number == generation.number), None)
    junk = _written(model.place.evaluation, "junk.json", config.project)
    facts = {
        "name": generation.name,
        "snapshot": model.name,
        "created": record.created[:10],
        "record": _recorded(record),
        "evaluation": found.json(),
        "changes": entry.changes.json() if entry is not None and entry.changes is not None else None,
        "generations": [one.json() for one in chain],
        "mistakes": wrong.json(),
        "diff": _difference(config, generation, record, progress),
        "junk": junk,
        "suspects": (_written(generation.folder, "suspects.json", config.project) or {}).get("suspects"),
        "training": _training(record),
        "made": _made(record),
    }
    pictures = {
        "curves": embed.picture(generation.logs / "curves.png"),
        "trend": _trend(chain, None if posed is None else posed.name) if len(chain) > 1 else None,
        "junk": embed.picture(Path(junk["picture"])) if junk and junk.get("picture") else None,
        "grids": _grids(model, wrong.mistakes[:_LOOKED_INTO]),
    }
    return Report(facts=json.loads(json.dumps(facts, default=str)), pictures=pictures, path=places.report(generation))


def _recorded(record: Record) -> dict[str, Any]:
    return {
        "number": record.number,
        "parent": record.parent,
        "classes": record.classes,
        "counts": record.counts,
        "commands": record.commands,
    }


def _difference(
    config: Config, generation: Generation, record: Record, progress: Progress | None
) -> dict[str, Any] | None:
    """Against the parent, where that is still there and was trained."""
    if record.parent is None:
        return None
    try:
        return diff(config, f"gen{record.parent}", generation.name, history=False, progress=progress).json()
    except WorkflowError:
        return None  # the parent was deleted, or never trained; the rest of the page is worth having


def _written(folder: Path, name: str, project: Path) -> dict[str, Any] | None:
    """The newest document of that name in a folder or below it, None if there is none that can be read.

    Pictures that it names can be opened.
    """
    paths = sorted(folder.glob(f"**/{name}"), key=lambda path: path.stat().st_mtime_ns)
    for path in reversed(paths):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(document, dict):
            return dict(_openable(document, project))
    return None


def _openable(document: Any, project: Path) -> Any:
    if isinstance(document, list):
        return [_openable(one, project) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        name: located(one, project) if name in _PATHS and isinstance(one, str) else _openable(one, project)
        for name, one in document.items()
    }


def _training(record: Record) -> str:
    best = record.best
    parts = [f"{len(record.snapshots)} snapshots, the last after {record.snapshots[-1].iteration:,} iterations"]
    split = record.solver_split
    if best is not None and (accuracy := best.tested(split)[0]) is not None:
        parts.append(f"the best is iter_{best.iteration} with {accuracy:.4f} of the {split} pictures right")
    if record.chosen_by_test:
        parts.append("so the accuracy on this page is a little too high")
    return "; ".join(parts)


def _made(record: Record) -> list[tuple[str, str]]:
    names = {
        "engine": "engine",
        "precision": "precision",
        "threads": "threads",
        "solver_type": "solver_type",
        "seed": "random_seed",
    }
    training = record.training.given
    rows = [(name, str(training[key])) for name, key in names.items() if training.get(key) is not None]
    shape = record.preprocessing
    rows.append(("pictures", f"{shape.width} × {shape.height}, {shape.channel_order}, {shape.fit}, {shape.kernel}"))
    return rows + [(name, version) for name, version in record.versions.items()]


def _trend(chain: Sequence[Entry], exam: str | None) -> str | None:
    with TemporaryDirectory() as folder:
        draw_trend(chain, Path(folder) / "trend.png", exam=exam)
        return embed.picture(Path(folder) / "trend.png")


def _grids(model: Model, wrong: Sequence[Mistake]) -> list[dict[str, Any]]:
    """The blobs that `wf inspect` shows, of the first mistakes whose pictures are still there."""
    looked = []
    with model.open() as session:
        for one in wrong:
            try:
                blobs = model.forward(session, [model.read(path_or_address(one.path))])
            except WorkflowError:
                continue
            names = [name for name in DEFAULTS if name in blobs]
            shown = {
                name: _png(grid.enlarge(grid.grid(grid.channels(blobs[name], DEFAULTS[name])), 300)) for name in names
            }
            looked.append({"path": one.path, "words": one.caption, "blobs": shown})
    return looked


def _png(pixels: grid.Grey) -> str:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", optimize=True)
    return embed.png(data.getvalue())
