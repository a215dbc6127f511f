"""What is here before there is a project: engines, fonts for pictures, recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import structs

from workflow.api.result import Finding

if TYPE_CHECKING:
    from workflow.engines.status import Status
    from workflow.project.recipes import Measured


@dataclass(frozen=True)
class Machine:
    """The engines and the fonts that were found."""

    engines: tuple[Status, ...]
    fonts: dict[str, str | None]
    """Script -> the font that draws it in pictures, None if there is none."""

    def json(self) -> dict[str, Any]:
        """As `wf engines --json` gives it."""
        return {"engines": [structs.asdict(status) for status in self.engines], "fonts": self.fonts}


def engines() -> Finding[Machine]:
    """Which engines can run here, and which fonts draw the words of pictures."""
    from workflow.engines.ready import statuses
    from workflow.report.engines import describe, describe_fonts
    from workflow.report.scripts import scripts

    found = Machine(engines=tuple(statuses()), fonts=scripts())
    return Finding(found=found, describe=lambda one, _: f"{describe(one.engines)}\n\n{describe_fonts(one.fonts)}")


def recipes() -> Finding[Measured]:
    """The recipes that a project can begin with, and what they were measured to give."""
    from workflow.project.recipe_table import describe
    from workflow.project.recipes import measured

    return Finding(found=measured(), describe=lambda one, _: describe(one))
