"""`wf inspect --page`: what every looking command finds about one picture, on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.cli.options import Call
from workflow.cli.progress import Counter

if TYPE_CHECKING:
    from workflow.config import Config
    from workflow.interpretation.activations.inspect import Inspection
    from workflow.models.model import Model
    from workflow.report.picture_page import Section

Look = Callable[[], tuple[dict[str, Path], str]]
"""Draws, and gives what it drew and the figures in words."""


def write_page(call: Call, config: Config, model: Model, found: Inspection, folder: Path) -> Path:
    """Look at a picture in every way that its model allows; each picture of the page lies beside it, too.

    What cannot be done for this net or this picture has its reason on the page.

    Args:
        call: where progress is shown.
        config: says where the generations are.
        model: the snapshot.
        found: of the plain `wf inspect`.
        folder: gets page.html and the pictures.

    Returns:
        The HTML file.

    Raises:
        EnvironmentFault, OSError: a full disk and the like.
    """
    from workflow.report.picture_page import write_picture_page  # Jinja, which --help does not need

    looks = Looks(call, config, model, found, folder)
    sections = [
        looks.section("grids", "Layer by layer", looks.grids, "What each layer holds, with its values' scale."),
        looks.section(
            "maps",
            "The places that count",
            looks.maps,
            "Which places speak for the class, by each method: covered in its order, they should make the probability "
            "fall at once.",
        ),
        looks.section(
            "twin",
            "Where it joins the class",
            looks.twin,
            "Beside the training picture of the class that the net takes for most alike: the layer from which on it is "
            "among them, and the channels and places that carry it.",
        ),
        looks.section(
            "why",
            "How the score adds up",
            looks.why,
            "Every channel and cell behind the last nonlinearity, and what it gave the class more than the next one.",
        ),
        looks.section(
            "invert",
            "What is left of it",
            looks.invert,
            "The picture rebuilt from what each layer keeps of it: what is gone here, the net cannot know further on.",
        ),
        looks.section(
            "dream",
            "What the class looks like to the net",
            looks.dream,
            "The pictures that most excite the class, found by going up its score.",
        ),
        looks.section("film", "While it was trained", looks.film, "The same picture in every snapshot."),
    ]
    return write_picture_page(found.image, found.snapshot, found.probabilities, sections, folder / "page.html")


class Looks:
    """The ways to look at one picture; each is what a command of its own does."""

    def __init__(self, call: Call, config: Config, model: Model, found: Inspection, folder: Path) -> None:
        self.call = call
        self.config = config
        self.model = model
        self.found = found
        self.image = found.image
        self.folder = folder

    def section(self, name: str, title: str, look: Look, lead: str) -> Section:
        """One part of the page; if it cannot be done, the reason."""
        from workflow.errors import EnvironmentFault, WorkflowError
        from workflow.report.picture_page import Section

        try:
            pictures, words = look()
        except EnvironmentFault:
            raise
        except WorkflowError as error:
            pictures, words = {}, f"Not for this one: {error.message}."
        return Section(name=name, title=title, lead=lead, pictures=pictures, words=words)

    def grids(self) -> tuple[dict[str, Path], str]:
        """As `wf inspect --compare`."""
        from workflow.interpretation.activations.side_by_side import compare
        from workflow.report.comparison import draw_comparison
        from workflow.report.inspection import describe

        with self.model.open() as session:
            compared = compare(self.model, session, [self.image])
        return draw_comparison(compared, self.model.preprocessing, self.folder), describe(self.found)

    def maps(self) -> tuple[dict[str, Path], str]:
        """As `wf maps`."""
        from workflow.interpretation.attribution.explain import explain
        from workflow.report.maps import describe, draw_maps

        with Counter(self.call.console, "mapping", "maps") as progress:
            found = explain(self.model, self.image, progress=progress)
        out = self.folder / f"maps-{found.target.slug}.png"
        draw_maps(found, self.model.preprocessing, out)
        return {"maps": out}, describe(found)

    def twin(self) -> tuple[dict[str, Path], str]:
        """As `wf twin`."""
        from workflow.generations import generations
        from workflow.interpretation.examples.twin import twin
        from workflow.report.twin import describe, draw_twin

        with Counter(self.call.console, "looking at the training set", "pictures") as progress:
            found = twin(self.model, self.image, generations=generations(self.config), progress=progress)
        out = self.folder / "twin.png"
        draw_twin(found, self.model.preprocessing, out)
        return {"twin": out}, describe(found)

    def why(self) -> tuple[dict[str, Path], str]:
        """As `wf why`."""
        from workflow.generations import generations
        from workflow.interpretation.attribution.logit_account import why
        from workflow.report.ledger import describe, draw_ledger

        with Counter(self.call.console, "looking at the training set", "pictures") as progress:
            found = why(self.model, self.image, generations=generations(self.config), progress=progress)
        out = self.folder / "ledger.png"
        draw_ledger(found, self.model, out)
        return {"ledger": out}, describe(found)

    def invert(self) -> tuple[dict[str, Path], str]:
        """As `wf invert`."""
        from workflow.interpretation.synthesis.invert import rebuild
        from workflow.report.inversion import describe, draw_inversion

        with Counter(self.call.console, "rebuilding", "steps") as progress:
            found = rebuild(self.model, self.image, progress=progress)
        out = self.folder / "invert.png"
        draw_inversion(found, self.model.preprocessing, out)
        return {"invert": out}, describe(found)

    def dream(self) -> tuple[dict[str, Path], str]:
        """As `wf dream`, for the class that it was given."""
        from workflow.interpretation.synthesis.dream import alive, maximise
        from workflow.report.dream import describe, draw_dream

        with Counter(self.call.console, "dreaming", "steps") as progress:
            (found,) = alive(maximise(self.model, classes=[self.found.label or "0"], progress=progress))
        sheet = draw_dream(found, self.model.preprocessing, self.folder)["sheet"]
        return {"dream": sheet}, describe(found)

    def film(self) -> tuple[dict[str, Path], str]:
        """As `wf film`."""
        from workflow.errors import UsageError
        from workflow.interpretation.activations.film import shoot
        from workflow.report.film import describe, draw_strip

        generation = self.model.generation
        if generation is None:
            raise UsageError(f"{self.model.name} belongs to no generation: its other snapshots are not known")
        with Counter(self.call.console, "filming", "snapshots") as progress:
            found = shoot(self.config, self.image, number=generation.number, progress=progress)
        paths = {"strip": self.folder / "film.png"}
        draw_strip(found, self.model.preprocessing, paths["strip"])
        return paths, describe(found)
