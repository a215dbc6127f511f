"""One job in a process of its own: a call of the library, its progress and its result as lines of JSON.

The first line of stdin is the job; `stop` on a later line lets a training write a snapshot and end. The process ends
when stdin does, so that it never outlives the server. Lines on stdout: {"progress": [done, all, unit]},
{"note": text}, and at last {"result": …} or {"error": …}.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, NoReturn

from workflow.errors import WorkflowError, system_errors
from workflow.garbage import collect_rarely
from workflow.lean_torch import leave_out_shape_kernels
from workflow.words import counted

if TYPE_CHECKING:
    from workflow.api import Finding, Project
    from workflow.api.events import Control, Event

LOOKS = ("inspect", "twin", "maps", "why", "invert", "dream", "film")
"""What can be asked about one picture."""
_EVERY = 0.25  # seconds between two lines of progress
_DIGEST = 64  # characters: the name of a file in the inbox
_NICE = 5  # pictures are judged first

Wish = Mapping[str, Any]


class Teller:
    """Writes lines to the server."""

    def __init__(self, out: IO[str]) -> None:
        self.training = False
        """Whether a step of a training is done, so that there is something to write a snapshot of."""
        self._out = out
        self._lock = threading.Lock()
        self._told = 0.0

    def tell(self, **line: Any) -> None:
        """Write one line."""
        with self._lock:
            self._out.write(json.dumps(_plain(line), allow_nan=False) + "\n")
            self._out.flush()

    def progress(self, unit: str) -> Callable[[int, int], None]:
        """The function to call with (done, all); most calls write nothing."""

        def show(done: int, every: int) -> None:
            now = time.monotonic()
            if done == every or now - self._told >= _EVERY:
                self._told = now
                self.tell(progress=[done, every, unit])

        return show


def prepare(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """Make the next generation's data set."""
    del wish, control
    found = project.prepare(progress=teller.progress("pictures"))
    return {"words": found.words(), "generation": found.generation}


def train(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """Train a generation; the live snapshot stays the same until the new one is promoted."""
    from workflow.errors import FindingError

    number = wish["generation"]
    _keep_answering(project, number, teller)
    weights = [wish["weights"]] if wish.get("weights") else []
    found = project.train(
        number,
        max_iter=wish.get("max_iter"),
        weights=weights,
        fresh=bool(wish.get("fresh")),
        progress=_following(teller),
        control=control,
    )
    result = {"words": found.words(), "generation": number, "stopped": control.stopping}
    if wish.get("promote") and not control.stopping:
        try:
            promoted = project.promote(progress=teller.progress("pictures"))
            verdict = promoted["verdict"]
            result["promotion"] = verdict["words"] if verdict else "nothing to promote"
        except FindingError as error:
            result["promotion"] = error.message
    return result


def diff(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """Compare two generations."""
    del control
    found = project.diff(wish["old"], wish["new"], history=False, progress=teller.progress("pictures"))
    found.draw()  # where `wf diff` draws it: the list of generations shows its verdict
    return _drawn(found, wish) | {"verdict": found.found.verdict.json()}


def report(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """Write the page about a generation."""
    del control
    found = project.report(wish["generation"], progress=teller.progress("steps"))
    return {"words": _near(found.words(), project.root), "url": f"/api/generations/{wish['generation']}/report"}


def look(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """Look at one picture."""
    del control
    with TemporaryDirectory(prefix="wf-look-") as folder:
        image = _short_name(Path(wish["image"]), Path(folder))
        found = _drawn(_found(project, wish, image, teller), wish)
        return found | {"words": _near(found["words"], folder, project.root)}


def _found(project: Project, wish: Wish, image: Path, teller: Teller) -> Finding[Any]:
    snapshot = project.snapshot(wish["snapshot"], tell=False)
    name = wish["look"]
    if name == "dream":
        return snapshot.dream(snapshot.predict(image).class_name, progress=teller.progress("steps"))
    if name == "inspect":
        return snapshot.inspect(image)
    units = {"twin": "pictures", "why": "pictures", "maps": "maps", "invert": "steps", "film": "snapshots"}
    found: Finding[Any] = getattr(snapshot, name)(image, progress=teller.progress(units[name]))
    return found


def _short_name(image: Path, folder: Path) -> Path:
    """A picture of the inbox under a name that a title has room for; others have their own."""
    if len(image.stem) != _DIGEST:
        return image
    link = folder / f"{image.stem[:12]}{image.suffix}"
    link.symlink_to(image)
    return link


def _near(words: str, *folders: str | Path) -> str:
    """Paths in words relative to these folders."""
    for folder in folders:
        words = words.replace(f"{folder}{os.sep}", "")
    return words


def channels(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """What one channel responds to."""
    del control
    blob, _, channel = wish["channel"].partition(":")
    snapshot = project.snapshot(f"gen{wish['generation']}", tell=False)
    return _drawn(snapshot.channels(blob, [int(channel)], progress=teller.progress("pictures")), wish)


def dream(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """The input that maximises one channel."""
    del control
    snapshot = project.snapshot(f"gen{wish['generation']}", tell=False)
    return _drawn(snapshot.dream(unit=wish["channel"], progress=teller.progress("steps")), wish)


def fill(project: Project, wish: Wish, teller: Teller, control: Control) -> dict[str, Any]:
    """Fill a queue of the inbox."""
    del control
    from workflow.api.filling import fill_queue
    from workflow.inbox import Inbox

    folder = None if wish["path"] is None else Path(wish["path"])
    with Inbox(project.config) as inbox:
        found = fill_queue(
            project,
            inbox,
            wish["queue"],
            snapshot=wish["snapshot"],
            folder=folder,
            progress=teller.progress("pictures"),
        )
    return found | {"words": counted(found["count"], "picture")}


Kind = Callable[["Project", Wish, Teller, "Control"], dict[str, Any]]
KINDS: dict[str, Kind] = {one.__name__: one for one in (prepare, train, diff, report, look, channels, dream, fill)}


def _keep_answering(project: Project, number: int, teller: Teller) -> None:
    """Pin the snapshot that answers, unless it is of the generation that is trained."""
    try:
        live = project.live().found
    except WorkflowError:  # there is no live snapshot yet
        return
    generation = live.reference.generation
    if not live.pinned and generation is not None and generation.number != number:
        project.pin(live.reference.name)
        teller.tell(note=f"{live.reference.name} stays the default snapshot until another one is promoted")


def _following(teller: Teller) -> Callable[[Event], None]:
    from workflow.api.events import Done, Note, Started, Step

    show = teller.progress("iterations")
    most = 0

    def see(event: Event) -> None:
        nonlocal most
        if isinstance(event, Started):
            most = event.max_iter
            show(event.iteration, most)
        elif isinstance(event, Step):
            teller.training = True
            show(event.iteration + 1, most)
        elif isinstance(event, Done):
            teller.tell(progress=[event.iteration, most, "iterations"])
        elif isinstance(event, Note):
            teller.tell(note=event.text)

    return see


def _drawn(found: Finding[Any], wish: Wish) -> dict[str, Any]:
    """The words of a result and its pictures, drawn into the job's folder."""
    from workflow.api.result import is_picture

    folder = Path(wish["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: path for name, path in found.draw(folder).items() if is_picture(path)}
    return {
        "words": _near(found.words(), wish["project"]),
        "pictures": [{"name": name, "url": f"{wish['url']}/{path.name}"} for name, path in files.items()],
    }


def _plain(value: Any) -> Any:
    """JSON's own types: paths as text, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


# ---- as a program ---------------------------------------------------------------------------------------------


class _Notes(logging.Handler):
    """What the library logs, as notes."""

    def __init__(self, teller: Teller) -> None:
        super().__init__(logging.INFO)
        self._teller = teller

    def emit(self, record: logging.LogRecord) -> None:
        self._teller.tell(note=record.getMessage())


def _leave(number: int, frame: object) -> NoReturn:
    """SIGTERM as an exception, so that temporary files are removed and locks released."""
    del number, frame
    sys.exit(143)


def _obey(wishes: IO[str], control: Control, teller: Teller) -> None:
    """Wait for `stop`, or for the end of the server: a training writes a snapshot then, anything else ends at once."""
    for line in wishes:
        if line.strip() == "stop":
            control.stop()
    control.stop()
    if not teller.training:
        os.kill(os.getpid(), signal.SIGTERM)


def run(wish: Wish, teller: Teller, control: Control) -> None:
    """Do one job and tell its result."""
    from workflow.api import Project

    config = wish.get("config")
    project = Project(wish["project"], config=config)
    project.command = tuple(wish["command"])
    try:
        with system_errors():
            teller.tell(result=KINDS[wish["kind"]](project, wish, teller, control))
    except WorkflowError as error:
        teller.tell(error={"id": error.fault, "message": error.message, "hint": error.hint})
    except Exception as error:
        traceback.print_exc()
        message = f"this is a bug in wf: {type(error).__name__}: {error}"
        teller.tell(error={"id": "", "message": message, "hint": "the server's log has the details"})


def main() -> None:
    """Do the job that stdin names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides
    signal.signal(signal.SIGTERM, _leave)
    os.nice(_NICE)
    collect_rarely()
    leave_out_shape_kernels()
    teller = Teller(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # nothing that some library prints may get between two lines
    wish = json.loads(sys.stdin.readline())
    from workflow.api.events import Control

    control = Control()
    threading.Thread(target=_obey, args=(sys.stdin, control, teller), daemon=True).start()
    logger = logging.getLogger("workflow")
    logger.setLevel(logging.INFO)
    logger.addHandler(_Notes(teller))
    run(wish, teller, control)
    os._exit(0)  # without waiting for the thread that reads
