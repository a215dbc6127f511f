"""wf recipes."""

from __future__ import annotations

from workflow.cli.options import Call


def recipes(call: Call) -> None:
    """Compare the recipes that a project can begin with.

    wf recipes
    wf init mybot --recipe quick-plus
    """
    from workflow.api.machine import recipes

    call.give(recipes())
