"""wf verify."""

from __future__ import annotations

from workflow.cli.options import Call


def verify(call: Call) -> None:
    """X."""
