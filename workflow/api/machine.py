"""What this machine can do: engines, and fonts for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import structs

from workflow.api.result import Finding

if TYPE_CHECKING:
    from workflow.engines.status import Status


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
