"""Options that several commands share, and the wrapper that adds --config, --json, --debug and -q to all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import click

from workflow.cli.boundary import State
from workflow.cli.console import Console
from workflow.cli.home import entered, relocated
from workflow.cli.parameters import Command, Option, command

if TYPE_CHECKING:
    from workflow.api import Finding, Project
    from workflow.api import Snapshot as Loaded
    from workflow.cli.progress import Counter
    from workflow.config import Config

ConfigFile = Annotated[
    Path | None,
    Option(
        "--config",
        metavar="FILE",
        help="Settings in YAML (default: configs/default.yaml).",
    ),
]
Directory = Annotated[
    Path | None,
    Option(
        "-C", metavar="DIR", help="Run as if started in DIR (default: the project that contains the current folder)."
    ),
]
Json = Annotated[bool, Option("--json", help="Print one JSON document; messages go to stderr.")]
Debug = Annotated[bool, Option("--debug", help="Show tracebacks of errors.")]
Quiet = Annotated[bool, Option("--quiet", "-q", help="Print results only.")]

Gen = Annotated[int | None, Option("--gen", metavar="N", min=0, help="Number of the generation (default: the newest).")]
Snapshot = Annotated[
    str | None,
    Option(
        "--snapshot",
        metavar="REF",
        help="iter_6000, gen4/iter_6000, latest, best, live (default; see wf live), or a .caffemodel.",
    ),
]
Engine = Annotated[
    Literal["torch", "caffe", "numpy"] | None,
    Option("--engine", help="Engine (default: the fastest for this job)."),
]

Cluster = Annotated[
    str | None,
    Option(
        "--cluster",
        metavar="ADDRESS",
        help="Share the work with a Ray cluster: HEAD:6379 from a machine of it, ray://HEAD:10001 from outside, "
        "or local (see docs/cluster.md).",
    ),
]


def _out(room: str) -> Option:
    return Option("--out", metavar="DIR", help=f"Output folder (default: the generation's {room}/).")


InspectOut = Annotated[Path | None, _out("inspect")]
VisionOut = Annotated[Path | None, _out("vision")]
EvaluationOut = Annotated[Path | None, _out("evaluation")]
"""See `generations.places`."""
Fresh = Annotated[bool, Option("--fresh", help="Ignore cached predictions.")]

Net = Annotated[
    Path | None,
    Option("--net", metavar="FILE", help="External model: its deploy prototxt."),
]
Mean = Annotated[
    str | None,
    Option(
        "--mean",
        metavar="FILE|104,117,123",
        help="External model: its mean, as binaryproto, .npy, .npz or numbers.",
    ),
]
Labels = Annotated[
    Path | None,
    Option(
        "--labels",
        metavar="FILE",
        help="External model: names of the classes, one per line.",
    ),
]
ChannelOrder = Annotated[
    Literal["RGB", "BGR", "GRAY"] | None,
    Option(
        "--channel-order",
        help="External model: the channel order it was trained with.",
    ),
]
Scale = Annotated[
    float | None,
    Option(
        "--scale",
        metavar="X",
        help="External model: the scale in its transform_param.",
    ),
]
IgnoreMismatch = Annotated[
    list[str] | None,
    Option(
        "--ignore-mismatch",
        metavar="LAYER",
        help="Skip a layer's weights if their shapes do not match (repeatable).",
    ),
]

_COMMON = {"config": ConfigFile, "directory": Directory, "json": Json, "debug": Debug, "quiet": Quiet}


def listed(values: Sequence[str] | None) -> tuple[str, ...]:
    """Names from a repeatable option; each value may contain several, separated by commas."""
    return tuple(name.strip() for value in values or () for name in value.split(",") if name.strip())


@dataclass(frozen=True, kw_only=True)
class Which:
    """The options that select a model: a parameter of this type becomes one option for each field."""

    snapshot: Snapshot = None
    gen: Gen = None
    net: Net = None
    mean: Mean = None
    labels: Labels = None
    channel_order: ChannelOrder = None
    scale: Scale = None

    def load(self, project: Project) -> Loaded:
        """Load the snapshot; see `Project.snapshot`."""
        return project.snapshot(
            self.snapshot,
            gen=self.gen,
            net=self.net,
            mean=self.mean,
            labels=self.labels,
            channel_order=self.channel_order,
            scale=self.scale,
        )


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of a command: its console and its settings."""

    console: Console
    command: tuple[str, ...]
    """The command line, for the record."""
    config_file: Path | None

    def project(self, **overrides: Any) -> Project:
        """The project, with these settings; see `settings`."""
        from workflow.api import Project

        return Project.of(self.settings(**overrides), self.command)

    def counting(self, what: str, things: str) -> Counter:
        """A progress line, a context manager: `preparing 3/10`."""
        from workflow.cli.progress import Counter

        return Counter(self.console, what, things)

    def give(self, found: Finding[Any], out: Path | None = None, *, show: bool = False) -> dict[str, Path]:
        """Draw a result and print it; `show` opens its pictures. Returns what was drawn."""
        from workflow.api.result import is_picture
        from workflow.cli.viewer import show_pictures

        files = found.draw(out)
        self.console.result(found.json(files), found.words(files))
        if show:
            show_pictures(self.console, [path for path in files.values() if is_picture(path)])
        return files

    def settings(self, **overrides: Any) -> Config:
        """The settings: flags over WF_... variables over YAML over defaults.

        Args:
            overrides: what flags say; `prepare__max_bad=0.1` is prepare.max_bad, None is a flag not given.
        """
        from workflow.project.settings import load  # PyYAML, which --help does not need

        return load(self.config_file, overrides)


def help_of(function: Callable[..., None]) -> str:
    """A command's docstring, its examples (a paragraph of lines that begin with `wf`) kept line by line."""
    blocks = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    examples = [all(line.startswith("wf ") for line in block.splitlines()) for block in blocks]
    kept = [f"\b\n{block}" if example else block for block, example in zip(blocks, examples, strict=True)]
    return "\n\n".join(kept)


def command_of(name: str, function: Callable[..., None], *, search: bool = True) -> Command:
    """The command of `function(call, ...)`: `call` is made here, the common options are added to its own.

    Args:
        name: of the command.
        function: what it does.
        search: whether it works in the project around the current folder; what makes a project does not.
    """
    signature = inspect.signature(function, eval_str=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    which = [one for one, parameter in signature.parameters.items() if parameter.annotation is Which]
    own = [parameter for one, parameter in signature.parameters.items() if one not in ("call", *which)]
    first, last = (_WHICH[:2], _WHICH[2:]) if which else ((), ())  # models from elsewhere are rarer
    common = [
        inspect.Parameter(
            one, keyword, default=None if one in ("config", "directory") else False, annotation=annotation
        )
        for one, annotation in _COMMON.items()
    ]

    def run(**given: Any) -> None:
        state = click.get_current_context().ensure_object(State)
        config = given.pop("config") or state.config
        directory = given.pop("directory") or state.directory
        for flag in ("json", "debug", "quiet"):  # the console has looked at these already
            given.pop(flag)
        with entered(directory, config, search=search) as base:
            if base != (project := Path().absolute()):
                state.console.say(f"in the project {project}; paths are relative to it")
            given = relocated(given | {"config": config}, base)
            config = given.pop("config")
            for one in which:
                given[one] = Which(**{parameter.name: given.pop(parameter.name) for parameter in _WHICH})
            function(Call(console=state.console, command=state.command, config_file=config), **given)

    return command(name, run, help_of(function), [*first, *own, *last, *common])


_WHICH = tuple(inspect.signature(Which, eval_str=True).parameters.values())
