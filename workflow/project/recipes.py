"""Recipes: nets, solvers and settings that a project can begin with.

A recipe is a settings file in configs/ with its prototxt files; real Caffe runs what `wf train` writes from them. What
they were measured to give is in measured.json, which scripts/recipes writes.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, to_builtins

from workflow.errors import UsageError, did_you_mean
from workflow.formats import yaml
from workflow.project import shipped


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train.

    Attributes:
        name: what `wf init --recipe` takes.
        settings: the file in configs/.
        words: what it is, a sentence.
    """

    name: str
    settings: str
    words: str


RECIPES = (
    Recipe(name="classic", settings="default.yaml", words="cifar10_quick as Caffe's example trains it"),
    Recipe(
        name="quick-plus",
        settings="quick-plus.yaml",
        words="the same net; mirrored and shifted pictures, a falling rate",
    ),
    Recipe(name="bn", settings="bn.yaml", words="the same net with batch normalisation; mirrored and shifted"),
    Recipe(
        name="small-resnet",
        settings="small-resnet.yaml",
        words="a residual net of nine convolutions; for many pictures",
    ),
)
CLASSIC = RECIPES[0].name


def named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    names = [recipe.name for recipe in RECIPES]
    raise UsageError(
        f"no recipe '{name}'; known: {', '.join(names)}", hint=did_you_mean(name, names) or "wf recipes compares them"
    )


def default_settings(recipe: Recipe) -> str:
    """The text of configs/default.yaml of a project that begins with the recipe.

    The shipped file with all its comments; the recipe's values in place of the defaults, its head above them.
    """
    text = (shipped() / "configs" / RECIPES[0].settings).read_text(encoding="utf-8")
    if recipe.name == CLASSIC:
        return text
    file = shipped() / "configs" / recipe.settings
    head = file.read_text(encoding="utf-8").split("\n#\n# Settings that are not listed")[0]
    text = head + "\n" + text[text.index("\n\n") + 1 :]
    for block, values in yaml.read(file).items():
        for key, value in values.items():
            text = _laid(text, block, key, value)
    return text


def _laid(text: str, block: str, key: str, value: Any) -> str:
    """Set a key, commented out or not, in its block."""
    pattern = rf"(?ms)^({block}:.*?\n  )((?:# )?{key}: \S+ *)"

    def replaced(match: re.Match[str]) -> str:
        padded = f"{key}: {value}".ljust(len(match[2])) if match[2].endswith(" ") else f"{key}: {value}"
        return match[1] + padded  # the comments stay below each other

    changed, count = re.subn(pattern, replaced, text, count=1)
    if not count:
        raise ValueError(f"configs/default.yaml has no {block}.{key}")
    return changed


class Trainings(Struct, frozen=True, kw_only=True):
    """What one recipe gave on one set of pictures."""

    iterations: int
    accuracy: dict[int, float]
    """Seed -> accuracy on the test pictures, 0..1."""

    @property
    def median(self) -> float:
        """Of the accuracies."""
        return statistics.median(self.accuracy.values())


class Figures(Struct, frozen=True, kw_only=True):
    """What one recipe was measured to give."""

    parameters: int
    milliseconds: float
    """An iteration of training, test passes left out."""
    sets: dict[str, Trainings]
    """`cifar10`: 50,000 pictures of ten classes; `frog`: 2,000 of two, frogs and the other nine classes."""

    def minutes(self, name: str) -> float:
        """Of a training on that set."""
        return self.milliseconds * self.sets[name].iterations / 60_000


class Measured(Struct, frozen=True, kw_only=True):
    """What scripts/recipes measured."""

    machine: str
    recipes: dict[str, Figures]

    def json(self) -> dict[str, Any]:
        """As `wf recipes --json` gives it."""
        return {
            "machine": self.machine,
            "recipes": [
                {"name": one.name, "settings": f"configs/{one.settings}", "words": one.words}
                | to_builtins(self.recipes[one.name], str_keys=True)
                for one in RECIPES
            ],
        }


def measured() -> Measured:
    """The figures of all recipes."""
    return msgspec.json.decode((Path(__file__).parent / "measured.json").read_bytes(), type=Measured)
