"""Results of the library's calls: figures, words and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from workflow.errors import UsageError

T = TypeVar("T")
Pictures = Mapping[str, Path]
"""What the picture shows -> its file."""


class Skipped(Protocol):
    """A picture file that could not be used."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def reason(self) -> str:
        """Why, worded to follow the path: `is truncated`."""


@runtime_checkable
class Result(Protocol):
    """What the calls of `Project` and `Snapshot` return."""

    def json(self, pictures: Pictures | None = None) -> dict[str, Any]:
        """The figures: the document of the command with `--json`; with the paths of what was drawn, if they are given.

        JSON's own types, and paths.
        """

    def words(self, pictures: Pictures | None = None) -> str:
        """The same for people, as the command prints it; with the paths of what was drawn, if they are given."""

    def draw(self, folder: str | Path | None = None) -> dict[str, Path]:
        """Draw it, and give the files; without a folder, where the command draws it."""

    def _repr_html_(self) -> str:
        """Its pictures and its words, for a notebook."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Finding(Generic[T]):
    """A result, see `Result`.

    The attributes of what was found are attributes of the finding, too: `snapshot.twin("false.png").joins_at`.
    """

    found: T
    """The result as its room defines it: frozen and typed."""
    describe: Callable[[T, Pictures], str]
    drawing: Callable[[T, Path], dict[str, Path]] | None = None
    """Draws it into a folder; None where there is nothing to draw."""
    home: Path | None = None
    """Where it is drawn unless a folder is named; None for what has no place in the project."""
    document: Callable[[T, Pictures], dict[str, Any]] | None = None
    """Its figures with the paths of what was drawn; None is `found.json()` and `pictures`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copy and pickle look for before there is a `found`
            raise AttributeError(name)
        return getattr(self.found, name)

    def __repr__(self) -> str:
        return self.words()

    def json(self, pictures: Pictures | None = None) -> dict[str, Any]:
        """See `Result.json`."""
        if self.document is not None:
            return self.document(self.found, pictures or {})
        facts: dict[str, Any] = self.found.json()  # type: ignore[attr-defined]  # as every result of a room
        return facts | ({"pictures": dict(pictures)} if pictures else {})

    def words(self, pictures: Pictures | None = None) -> str:
        """See `Result.words`."""
        return self.describe(self.found, pictures or {})

    def draw(self, folder: str | Path | None = None) -> dict[str, Path]:
        """See `Result.draw`; the folder is made.

        Returns:
            What a file shows -> the file; empty where there is nothing to draw.

        Raises:
            UsageError: no folder is named, and the result has no place of its own.
            OSError: as the operating system says it.
        """
        if self.drawing is None:
            return {}
        target = self.home if folder is None else Path(folder)
        if target is None:
            raise UsageError(
                "the result belongs to no generation, so that it has no place of its own",
                hint="name a folder: --out DIR",
            )
        return self.drawing(self.found, target)

    def _repr_html_(self) -> str:
        import html
        from tempfile import TemporaryDirectory

        from workflow.report import embed

        with TemporaryDirectory(prefix="wf-") as folder:
            shown = {name: embed.picture(path) for name, path in self.draw(folder).items() if is_picture(path)}
        figures = [
            f'<figure><img src="{uri}" alt="{html.escape(name)}" style="max-width:100%">'
            f"<figcaption>{html.escape(name)}</figcaption></figure>"
            for name, uri in shown.items()
            if uri is not None
        ]
        return "\n".join([*figures, f"<pre>{html.escape(self.words())}</pre>"])


def is_picture(path: Path) -> bool:
    """Whether a drawn file is a picture, and not a table or a page."""
    return path.suffix in (".png", ".gif")
