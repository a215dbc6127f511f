"""Options and arguments from annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner, Result

from workflow.cli.parameters import Argument, Option, command


def half(text: str) -> float:
    if not text.isdigit():
        raise click.BadParameter(f"got '{text}', expected a whole number")
    return int(text) / 2


def look(
    pictures: Annotated[list[Path], Argument(metavar="PICTURE", help="Picture files.")],
    count: Annotated[int, Option("--count", metavar="N", min=1, max=9, help="How many.")] = 5,
    order: Annotated[Literal["number", "activity"] | None, Option("--order", help="Order.")] = None,
    names: Annotated[list[str] | None, Option("--name", help="Names (repeatable).")] = None,
    share: Annotated[float | None, Option("--share", metavar="X", parser=half, help="A share.")] = None,
    deep: Annotated[bool, Option("--deep", "-d", help="Deeper.")] = False,
    wide: Annotated[bool | None, Option("--wide/--narrow", help="Width.")] = None,
) -> None: ...


def make(folder: Annotated[Path, Argument(metavar="DIR", help="The folder.")] = Path()) -> None: ...


def run(function: Callable[..., None], *arguments: str) -> tuple[Result, dict[str, Any]]:
    given: dict[str, Any] = {}
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    made = command("look", given.update, "Look at it.", parameters)
    return CliRunner().invoke(made, list(arguments)), given


def test_what_is_not_given_is_the_default() -> None:
    assert run(look, "a.png")[1] == {
        "pictures": [Path("a.png")], "count": 5, "order": None, "names": None,
        "share": None, "deep": False, "wide": None,
    }  # fmt: skip
    assert run(make)[1] == {"folder": Path()}


def test_what_is_given_has_its_type() -> None:
    words = "a.png b.png --count 9 --order activity --name x --name y --share 3 -d --narrow"
    assert run(look, *words.split())[1] == {
        "pictures": [Path("a.png"), Path("b.png")], "count": 9, "order": "activity", "names": ["x", "y"],
        "share": 1.5, "deep": True, "wide": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "Missing argument 'PICTURE"),
        ("a --count 0", "Invalid value for '--count': 0 is not in the range 1<=x<=9"),
        ("a --count x", "Invalid value for '--count': 'x' is not a valid whole number"),
        ("a --order name", "Invalid value for '--order': 'name' is not one of 'number', 'activity'"),
        ("a --share x", "Invalid value for '--share': got 'x', expected a whole number"),
    ],
)
def test_what_is_wrong_is_said(words: str, message: str) -> None:
    result, given = run(look, *words.split())
    assert (result.exit_code, given) == (2, {})
    assert message in result.stderr


def test_the_help() -> None:
    text = run(look, "--help")[0].output
    assert "look [OPTIONS] PICTURE..." in text
    assert "PICTURE  Picture files." in text
    assert "--order [number|activity]" in text
    assert "[default: 5; 1<=x<=9]" in text
    text = run(make, "--help")[0].output
    assert "look [OPTIONS] [DIR]" in text
    assert "The folder.  [default: .]" in text
