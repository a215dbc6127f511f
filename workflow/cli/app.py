"""The table of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from workflow.cli import net
from workflow.cli.blame import blame
from workflow.cli.boundary import Boundary, State
from workflow.cli.channels import channels
from workflow.cli.console import show_version
from workflow.cli.demo import demo
from workflow.cli.diff import diff
from workflow.cli.dream import dream
from workflow.cli.engines import engines
from workflow.cli.evaluate import evaluate
from workflow.cli.export import export
from workflow.cli.film import film
from workflow.cli.import_ import import_
from workflow.cli.init import init
from workflow.cli.inspect import inspect
from workflow.cli.invert import invert
from workflow.cli.junk import junk
from workflow.cli.live import live
from workflow.cli.log import log
from workflow.cli.maps import maps
from workflow.cli.mistakes import mistakes
from workflow.cli.next import next
from workflow.cli.options import ConfigFile, Debug, Directory, Json, Quiet, help_of, with_common
from workflow.cli.predict import predict
from workflow.cli.prepare import prepare
from workflow.cli.report import report
from workflow.cli.serve import serve
from workflow.cli.suspects import suspects
from workflow.cli.time import time
from workflow.cli.train import train
from workflow.cli.twin import twin
from workflow.cli.verify import verify
from workflow.cli.why import why

COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Get started": (init, demo),
    "Prepare and train": (prepare, train, live, import_),
    "Inspect": (inspect, predict, twin, channels, maps, dream, invert, film),
    "Evaluate and improve": (evaluate, mistakes, diff, log, blame, junk, why, suspects, next, report),
    "In a browser": (serve,),
    "Export": (export,),
    "Check": (verify, time, engines),
}

app = typer.Typer(
    cls=Boundary,
    name="wf",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich's takes longer to import than all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
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


def _with_net() -> None:
    """`wf net show`, `wf net deploy`, `wf net upgrade`."""
    group = typer.Typer(name="net", help="Show, convert and upgrade prototxt files.", rich_markup_mode=None)
    for command in (net.show, net.deploy, net.upgrade):
        group.command(command.__name__, help=help_of(command))(with_common(command))
    app.add_typer(group, rich_help_panel="Caffe files")


for panel, commands in COMMANDS.items():
    for command in commands:
        searching = with_common(command, search=command not in (init, demo))
        app.command(command.__name__.rstrip("_"), help=help_of(command), rich_help_panel=panel)(searching)
_with_net()
