"""Find generations by number and snapshots by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workflow.config import Config
from workflow.errors import UsageError, did_you_mean
from workflow.generations.folder import Generation

_FOLDER = re.compile(r"gen(\d+)")
_REFERENCE = re.compile(
    r"(?=.)(?:gen(?P<generation>\d+)(?:/|$))?(?:seed_(?P<seed>\d+)(?:/|$))?(?P<snapshot>latest|best|(?:iter_)?\d+)?"
)


def generations(config: Config) -> list[Generation]:
    """Every generation of the project, by number; leftovers under temporary names are not generations."""
    root = config.generations
    if not root.is_dir():
        return []
    found = [(match, path) for path in root.iterdir() if (match := _FOLDER.fullmatch(path.name)) and path.is_dir()]
    return sorted(
        (Generation(int(match[1]), path, project=config.project) for match, path in found), key=lambda one: one.number
    )


def generation(config: Config, number: int) -> Generation:
    """The generation of that number, whether it exists or not."""
    return Generation(number, config.generations / f"gen{number}", project=config.project)


def existing(config: Config, number: int | None = None) -> Generation:
    """The generation of that number, or the newest.

    Raises:
        UsageError: it does not exist.
    """
    found = generations(config)
    if not found:
        raise no_generation(config)
    if number is None:
        return found[-1]
    for one in found:
        if one.number == number:
            return one
    known, newest = ", ".join(str(one.number) for one in found), found[-1].number
    following = number == newest + 1
    raise UsageError(
        f"generation {number} not found in {config.generations}; there are: {known}",
        hint=f"wf prepare makes generation {number}" if following else f"the newest is generation {newest}",
    )


def no_project(folder: Path) -> UsageError:
    """The error for a folder that is not a project."""
    return UsageError(
        f"{folder} is not a wf project: it has neither configs/ nor generations/",
        hint="change to your project folder, name it with wf -C DIR, or create one here: wf init",
        fault="L01",
    )


def no_generation(config: Config) -> UsageError:
    """The error where there is no generation yet, or no project at all."""
    root = config.generations
    if not any(root.glob("gen*")) and not root.with_name("configs").is_dir():
        return no_project(root.absolute().parent)
    return UsageError(
        f"this project has no generation yet ({root} is empty)", hint="wf prepare creates the first one", fault="L01"
    )


@dataclass(frozen=True)
class Reference:
    """A snapshot: its weights on disk and its generation, if it has one."""

    weights: Path
    generation: Generation | None = None
    iteration: int | None = None

    @property
    def name(self) -> str:
        """`gen5/iter_6000`, or the file's path for a model from elsewhere."""
        if self.generation is None or self.iteration is None:
            return str(self.weights)
        return f"{self.generation.name}/iter_{self.iteration}"


def resolve(config: Config, reference: str = "latest", number: int | None = None) -> Reference:
    """Find a snapshot by the name that the user gives.

    `iter_6000` or `6000`, `latest`, `best`, each alone or after `gen4/` or `gen4/seed_7/`; `gen4` alone is its best;
    or the path of a model's file, whatever its name. `best` is `Record.best`: the one with the highest
    accuracy in the solver's test passes.

    Raises:
        UsageError: there is no such snapshot; the message lists those that there are.
    """
    path = Path(reference)
    if path.name.endswith((".caffemodel", ".h5")):
        return _from_path(config, path)
    match = _REFERENCE.fullmatch(reference)
    if match is None and path.is_file():
        return _from_path(config, path)  # of any name; the reader reports what it is
    if match is None:
        raise UsageError(
            f"no snapshot '{reference}'",
            hint="write iter_6000, gen4, gen4/iter_6000, latest, best, or the path of a .caffemodel",
            fault="C06",
        )
    one = existing(config, int(match["generation"]) if match["generation"] else number)
    if match["seed"]:
        one = _rerun(one, int(match["seed"]))
    record = one.read()
    if record.latest is None or record.best is None:
        raise UsageError(f"{_called(one)} has no snapshot yet", hint=f"wf train --gen {one.number}")
    wanted = match["snapshot"] or "best"
    if wanted == "latest":
        chosen = record.latest
    elif wanted == "best":
        chosen = record.best
    else:
        wanted = f"iter_{wanted.removeprefix('iter_')}"
        by_name = {f"iter_{snapshot.iteration}": snapshot for snapshot in record.snapshots}
        if wanted not in by_name:
            names = sorted(by_name, key=lambda name: by_name[name].iteration)
            raise UsageError(
                f"no snapshot {wanted} in {_called(one)} ({one.name} has {', '.join(names)})",
                hint=did_you_mean(wanted, names),
                fault="C06",
            )
        chosen = by_name[wanted]
    return Reference(one.folder / chosen.model, one, chosen.iteration)


def _called(one: Generation) -> str:
    return f"generation {one.number}" + ("" if one.seed is None else f" with seed {one.seed}")


def _rerun(one: Generation, seed: int) -> Generation:
    for rerun in one.reruns:
        if rerun.seed == seed:
            return rerun
    known = ", ".join(str(rerun.seed) for rerun in one.reruns) or "none"
    raise UsageError(
        f"generation {one.number} was not trained with seed {seed} (further seeds: {known})",
        hint=f"wf train --gen {one.number} --seeds 3",
        fault="C06",
    )


def _from_path(config: Config, path: Path) -> Reference:
    if not path.is_file():
        raise UsageError(f"no model file {path}", hint="for a snapshot of a generation, write iter_6000", fault="C06")
    for one in (found for whole in generations(config) for found in (*whole.reruns, *whole.folds, whole)):
        if one.folder.resolve() in path.resolve().parents:
            iteration = re.search(r"_iter_(\d+)\.", path.name)
            return Reference(path, one, int(iteration[1]) if iteration else None)
    return Reference(path)
