"""wf serve."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call
from workflow.cli.parameters import Option


def serve(
    call: Call,
    host: Annotated[
        str, Option("--host", metavar="ADDRESS", help="Address to listen on; any but the default needs --name.")
    ] = "127.0.0.1",
    port: Annotated[int, Option("--port", metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    name: Annotated[
        list[str] | None,
        Option(
            "--name",
            metavar="HOST",
            help="Host name that others use (repeatable); clients then need a token: wf inbox tokens add NAME.",
        ),
    ] = None,
    open_page: Annotated[bool, Option("--open", help="Open the page in the browser.")] = False,
    snapshot: Annotated[
        str | None,
        Option(
            "--snapshot",
            metavar="REF",
            help="Snapshot that labels pictures (default: live; a change of live takes effect at once).",
        ),
    ] = None,
    promote_if_not_worse: Annotated[
        bool,
        Option("--promote-if-not-worse", help="After training, make the new generation live unless it is worse."),
    ] = False,
) -> None:
    """Run the web interface and an HTTP API for bots.

    Label pictures by the net, inspect them, correct labels, pass them on to the data set, prepare, train and compare.
    Only this machine can reach it, unless --host says otherwise.

    wf serve --open
    wf serve --host 0.0.0.0 --name bot.example
    """
    run(
        call,
        root=Path(),
        host=host,
        port=port,
        names=tuple(name or ()),
        open_page=open_page,
        snapshot=snapshot,
        promote_if_not_worse=promote_if_not_worse,
    )


def run(
    call: Call,
    *,
    root: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    names: tuple[str, ...] = (),
    open_page: bool = False,
    snapshot: str | None = None,
    promote_if_not_worse: bool = False,
) -> None:
    """Serve the project in `root` until Ctrl-C.

    Raises:
        EnvironmentFault: the extra `serve` is not installed.
        UsageError: there is no such snapshot, or the address cannot be used.
    """
    require()
    from workflow.api import Project
    from workflow.web.server import serve as start
    from workflow.web.state import Settings

    config = None if call.config_file is None else call.config_file.absolute()
    project = Project(root.absolute(), config=config)
    project.command = call.command
    if snapshot is not None:
        snapshot = project.snapshot(snapshot, tell=False).name
    settings = Settings(
        host=host,
        port=port,
        names=tuple(one.lower().rstrip(".") for one in names),
        snapshot=snapshot,
        promote_if_not_worse=promote_if_not_worse,
        config=config,
    )
    with suppress(KeyboardInterrupt):  # the usual end
        start(project, settings, say=call.console.say, open_page=open_page)
    call.console.say("stopped")


def require() -> None:
    """Check that the extra `serve` is installed.

    Raises:
        EnvironmentFault: it is not.
    """
    from importlib.util import find_spec

    from workflow.errors import EnvironmentFault

    for name in ("fastapi", "uvicorn", "python_multipart"):
        if find_spec(name) is None:
            raise EnvironmentFault(
                f"wf serve needs the package {name}, which is not installed", hint="pip install 'wf[serve]'"
            )
