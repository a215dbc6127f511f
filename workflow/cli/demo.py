"""wf demo."""

from __future__ import annotations

from workflow.cli.options import Call


def demo(call: Call) -> None:
    """X."""
