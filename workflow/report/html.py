"""Shared parts of all HTML pages: strict templates and the style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.report import embed
from workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def fill(template: str, facts: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]] | None = None) -> str:
    """A page as text.

    Args:
        template: its name in templates/.
        facts: what it shows; the style and the version are added.
        filters: functions of its own, beside `thumbnail`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 60 ms that only this needs
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("workflow.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"thumbnail": embed.thumbnail, **(filters or {})}
    style = environment.get_template("style.css").render()
    whole = {**facts, "style": Markup(style), "version": __version__}  # noqa: S704  # our own file
    return environment.get_template(template).render(whole)
