"""Make a folder a project, or add a recipe to one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workflow.errors import UsageError
from workflow.formats import yaml
from workflow.formats.prototxt import read_solver
from workflow.project import FOLDERS, shipped
from workflow.project.recipes import CLASSIC, RECIPES, Recipe, default_settings, named
from workflow.storage import atomic_write

_GITIGNORE = "/generations/\n/inbox/\n"
_DEFAULT = Path("configs") / RECIPES[0].settings


def start(folder: Path, recipe: str = CLASSIC) -> list[Path]:
    """Make `folder` a project: copy configs/ and prototxt/ there, and a .gitignore.

    configs/default.yaml gets the settings of the recipe. In a project that exists, only what the recipe needs is
    added; its configs/default.yaml stays.

    Returns:
        The files written.

    Raises:
        UsageError: no such recipe, or a file that would be written exists; nothing is written then.
    """
    chosen = named(recipe)
    if recipe != CLASSIC and has_settings(folder):
        return _add(folder, chosen)
    copies = {
        folder / source.relative_to(shipped()): source.read_bytes()
        for name in FOLDERS
        for source in sorted((shipped() / name).iterdir())
    }
    standing = [path for path in copies if path.exists()]
    if standing:
        raise UsageError(
            f"{standing[0]} exists" + (f" (and {len(standing) - 1} more)" if len(standing) > 1 else ""),
            hint="name another folder, or move these files away",
        )
    copies[folder / _DEFAULT] = default_settings(chosen).encode()
    ignore = folder / ".gitignore"
    if not ignore.exists():  # an existing one is the user's
        copies[ignore] = _GITIGNORE.encode()
    return _written(copies)


def has_settings(folder: Path) -> bool:
    """Whether a recipe can be added to what is there."""
    return (folder / _DEFAULT).is_file()


def _add(folder: Path, recipe: Recipe) -> list[Path]:
    copies = {folder / name: (shipped() / name).read_bytes() for name in _files(recipe)}
    edited = [path for path, data in copies.items() if path.exists() and path.read_bytes() != data]
    if edited:
        raise UsageError(
            f"{edited[0]} exists and differs from that of recipe {recipe.name}", hint="rename it, then run this again"
        )
    return _written({path: data for path, data in copies.items() if not path.exists()})


def _files(recipe: Recipe) -> list[Path]:
    """The files of a recipe, relative to the project folder."""
    settings = Path("configs") / recipe.settings
    train = yaml.read(shipped() / settings)["train"]
    solver = Path(train["solver"])
    return [settings, solver, Path(read_solver(shipped() / solver).net), Path(train["deploy"])]


def _written(copies: Mapping[Path, bytes]) -> list[Path]:
    for target, data in copies.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(target, data)
    return list(copies)
