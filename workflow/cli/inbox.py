"""`wf inbox`: what people sent, who may send, and how labels reach the next generation."""

from __future__ import annotations

from typing import Annotated, Literal

from workflow.cli.options import Call
from workflow.cli.parameters import Argument, Option
from workflow.errors import UsageError


def list_(call: Call) -> None:
    """List queues, senders, and decisions that are not taken over yet.

    wf inbox list
    """
    from workflow.api import inbox

    call.give(inbox.overview(call.project()))


def tokens(
    call: Call,
    action: Annotated[
        Literal["add", "revoke"] | None, Argument(metavar="[add|revoke]", help="Default: list the tokens.")
    ] = None,
    name: Annotated[str | None, Argument(metavar="NAME", help="Name of the token.")] = None,
    role: Annotated[
        Literal["bot", "labeller", "owner"],
        Option("--role", help="What it may do: bot judges and reports, labeller labels, owner may do everything."),
    ] = "bot",
) -> None:
    """List, make and revoke tokens.

    A token is printed once, when it is made; only its hash is stored.

    wf inbox tokens
    wf inbox tokens add mastodon --role bot
    wf inbox tokens revoke mastodon
    """
    from workflow.api import inbox

    project = call.project()
    if action is None:
        call.give(inbox.tokens(project))
        return
    if name is None:
        raise UsageError(f"which token? expected a name after '{action}'", hint=f"wf inbox tokens {action} NAME")
    if action == "add":
        text = inbox.add_token(project, name, role)
        call.console.say(f"token '{name}' ({role}); it is not stored and not shown again:")
        call.console.result({"name": name, "role": role, "token": text}, text)
    else:
        gone = inbox.revoke(project, name)
        call.console.result(gone.json(), f"'{gone.name}' is revoked; what it sent stays (wf inbox forget {gone.name})")


def takeover(
    call: Call,
    preview: Annotated[bool, Option("--preview", help="Only show what would be done.")] = False,
) -> None:
    """Use the decisions in the next wf prepare.

    Pictures of the project's own folders get a patch of corrections; pictures that were sent get a link in
    inbox/labelled/CLASS/.

    wf inbox takeover --preview
    wf inbox takeover
    """
    from workflow.api import inbox

    call.give(inbox.take_over(call.project(), preview=preview))


def forget(
    call: Call,
    sender: Annotated[str, Argument(metavar="SENDER", help="Name of the sender's token.")],
    ref: Annotated[str | None, Option("--ref", metavar="TEXT", help="Only what was sent with this reference.")] = None,
) -> None:
    """Delete everything that a sender sent, and revoke its token.

    Files, thumbnails, labelled links, results and rows are deleted. Data sets of generations are not touched: they
    are listed.

    wf inbox forget mastodon
    wf inbox forget mastodon --ref https://example.org/@ann/1
    """
    from workflow.api import inbox

    call.give(inbox.forget(call.project(), sender, ref=ref))


def sweep(call: Call) -> None:
    """Remove files that interrupted processes left.

    wf inbox sweep
    """
    from workflow.api import inbox

    call.give(inbox.sweep(call.project()))
