"""The table of commands."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Annotated

import typer

from workflow.cli.boundary import Boundary, State
from workflow.cli.console import show_version
from workflow.cli.options import ConfigFile, Debug, Directory, Json, Quiet, help_of, with_common

COMMANDS: dict[str, tuple[str, ...]] = {
    "Get started": ("init", "demo"),
    "Prepare and train": ("prepare", "train", "live", "import"),
    "Inspect": ("inspect", "predict", "twin", "channels", "maps", "dream", "invert", "film"),
    "Evaluate and improve": (
        *("evaluate", "mistakes", "diff", "log", "blame", "junk"),
        *("why", "suspects", "next", "report"),
    ),
    "In a browser": ("serve", "inbox"),
    "Export": ("export",),
    "Check": ("verify", "time", "engines"),
    "Caffe files": ("net",),
}
"""Heading of `wf --help` -> commands; the function `twin` of cli/twin.py is `wf twin`."""

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "inbox": ("See what people sent, give tokens, delete.", ("list", "tokens", "takeover", "forget", "sweep")),
    "net": ("Show, convert and upgrade prototxt files.", ("show", "deploy", "upgrade")),
}
"""A command with commands of its own: its help, and the functions of its module."""

NAMES = frozenset(name for names in COMMANDS.values() for name in names)
_ANYWHERE = {"init", "demo"}
"""What makes a project does not look for one around the current folder."""


def build(wanted: Collection[str] = NAMES) -> typer.Typer:
    """The command line with these commands; importing all of them takes a tenth of a short command's time."""
    app = typer.Typer(
        cls=Boundary,
        name="wf",
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: rich's takes longer to import than all the rest
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(wf)
    for panel, names in COMMANDS.items():
        for name in names:
            if name not in wanted:
                continue
            if name in GROUPS:
                app.add_typer(_group(name), rich_help_panel=panel)
                continue
            command = _function(name)
            searching = with_common(command, search=name not in _ANYWHERE)
            app.command(name, help=help_of(command), rich_help_panel=panel)(searching)
    return app


def wf(
    context: typer.Context,
    config: ConfigFile = None,
    directory: Directory = None,
    json: Json = False,
    debug: Debug = False,
    quiet: Quiet = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Prepare labelled pictures, train Caffe's small networks on a plain CPU, and look at what they see."""
    del json, debug, quiet  # the console has looked at these already
    if version:
        show_version()
        raise typer.Exit
    state = context.ensure_object(State)
    state.config, state.directory = config, directory
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _function(name: str) -> Callable[..., None]:
    attribute = f"{name}_" if name == "import" else name  # a word of Python
    found: Callable[..., None] = getattr(import_module(f"workflow.cli.{attribute}"), attribute)
    return found


def _group(name: str) -> typer.Typer:
    """`wf net show`, `wf net deploy`, `wf net upgrade`."""
    summary, functions = GROUPS[name]
    group = typer.Typer(name=name, help=summary, rich_markup_mode=None)
    module = import_module(f"workflow.cli.{name}")
    for function in functions:
        command = getattr(module, f"{function}_" if function == "list" else function)  # a word of Python
        group.command(function, help=help_of(command))(with_common(command))
    return group
