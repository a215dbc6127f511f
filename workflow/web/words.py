"""The words of the pages, in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = {"en": "English", "ja": "日本語"}
"""Code -> its name in the language itself; the first one is the default."""


@cache
def words(language: str) -> Mapping[str, str]:
    """Key -> text of one language; `{name}` stands for a value."""
    found: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"))
    return found


def text(language: str, key: str, **values: object) -> str:
    """A text with its values.

    Raises:
        KeyError: there is no such key, or a value is missing.
    """
    return words(language)[key].format(**values)


def wrong(language: str, fault: str, status: int, message: str, hint: str | None) -> tuple[str, str | None]:
    """What went wrong, in the reader's language: a sentence and a hint.

    The server's own sentences are English: other readers get the sentence of the kind of error, and the server's as a
    hint, for what it says of this one. `wrong` in static/words.js does the same.

    Args:
        language: the reader's.
        fault: the row of the catalogue of errors, or nothing.
        status: of HTTP.
        message: the server's sentence.
        hint: the server's hint.
    """
    kind = next((key for key in (f"error.{fault}", f"error.{status}") if key in words(language)), None)
    if kind is None or language == next(iter(LANGUAGES)):
        return message, hint
    return text(language, kind), f"{message} {hint}" if hint else message


def preferred(accepted: str) -> str:
    """The language that a browser prefers.

    Args:
        accepted: the header Accept-Language: `ja,en-US;q=0.7,en;q=0.3`.
    """
    wishes = []
    for place, part in enumerate(accepted[:500].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, name[:2].lower()))
        except ValueError:
            continue
    known = [name for weight, _, name in sorted(wishes) if name in LANGUAGES and weight < 0]
    return known[0] if known else next(iter(LANGUAGES))
