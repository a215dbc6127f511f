"""The table of commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from typing import Annotated

import click

from workflow.cli.boundary import Boundary, State
from workflow.cli.console import show_version
from workflow.cli.options import ConfigFile, Debug, Directory, Json, Quiet, command_of
from workflow.cli.parameters import Group, Option, made

COMMANDS: dict[str, tuple[str, ...]] = {
    "Get started": ("init", "recipes", "demo"),
    "Prepare and train": ("prepare", "train", "live", "import"),
    "Inspect": ("inspect", "predict", "twin", "channels", "maps", "dream", "invert", "film"),
    "Evaluate and improve": (
        *("evaluate", "mistakes", "diff", "log", "blame", "junk"),
        *("why", "suspects", "whatif", "next", "report"),
    ),
    "In a browser": ("serve", "inbox"),
    "Export": ("export",),
    "Check": ("verify", "time", "engines"),
    "Caffe files": ("net",),
}
"""Heading of `wf --help` -> commands; the function `twin` of cli/twin.py is `wf twin`."""

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "inbox": (
        "List received pictures, create tokens, delete a sender's data.",
        ("list", "tokens", "takeover", "forget", "sweep"),
    ),
    "net": ("Show, convert and upgrade prototxt files.", ("show", "deploy", "upgrade")),
}
"""A command with commands of its own: its help, and the functions of its module."""

NAMES = frozenset(name for names in COMMANDS.values() for name in names)
_ANYWHERE = {"init", "recipes", "demo"}
"""What makes a project does not look for one around the current folder."""


def build(wanted: Collection[str] = NAMES) -> Boundary:
    """The command line with these commands; importing all of them takes a tenth of a short command's time."""
    return Boundary(
        "wf",
        commands={name: one for panel, names in COMMANDS.items() for name, one in _commands(panel, names, wanted)},
        callback=wf,
        params=[made(one) for one in inspect.signature(wf, eval_str=True).parameters.values()],
        help=wf.__doc__,
        epilog="wf help COMMAND shows the help of a command; wf help CODE explains an error, such as L03.",
        invoke_without_command=True,
        subcommand_metavar="COMMAND [ARGS]...",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def wf(
    config: ConfigFile = None,
    directory: Directory = None,
    json: Json = False,
    debug: Debug = False,
    quiet: Quiet = False,
    version: Annotated[bool, Option("--version", help="Show the version.")] = False,
    install_completion: Annotated[
        bool, Option("--install-completion", help="Complete the commands of wf in the shell (bash, zsh, fish).")
    ] = False,
) -> None:
    """Prepare labelled pictures, train Caffe's small networks on a plain CPU, and look at what they see."""
    del json, debug, quiet  # the console has looked at these already
    context = click.get_current_context()
    state = context.ensure_object(State)
    if version:
        show_version()
        context.exit()
    if install_completion:
        from workflow.cli.completion import install

        install(state.console)
        context.exit()
    state.config, state.directory = config, directory
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _commands(panel: str, names: Collection[str], wanted: Collection[str]) -> Iterator[tuple[str, click.Command]]:
    for name in names:
        if name in wanted:
            one = _group(name) if name in GROUPS else command_of(name, _function(name), search=name not in _ANYWHERE)
            one.panel = panel
            yield name, one


def _function(name: str) -> Callable[..., None]:
    attribute = f"{name}_" if name == "import" else name  # a word of Python
    found: Callable[..., None] = getattr(import_module(f"workflow.cli.{attribute}"), attribute)
    return found


def _group(name: str) -> Group:
    """`wf net show`, `wf net deploy`, `wf net upgrade`."""
    summary, functions = GROUPS[name]
    module = import_module(f"workflow.cli.{name}")
    group = Group(name, help=summary)
    for function in functions:
        attribute = f"{function}_" if function == "list" else function  # a word of Python
        group.add_command(command_of(function, getattr(module, attribute)))
    return group
