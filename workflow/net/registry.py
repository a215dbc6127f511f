"""The registry of an engine's layer types: each class registers itself by a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from workflow.errors import NetError, did_you_mean
from workflow.net.spec import LayerSpec

Range = tuple[int, int | None]
"""Least and most, None for any number."""

Layer = TypeVar("Layer")


class _Entry(Struct, Generic[Layer], frozen=True, kw_only=True):
    cls: type[Layer]
    bottoms: Range
    tops: Range


class Registry(Generic[Layer]):
    """Layer types by name. The registry is the list that messages and documents show.

    Args:
        engine: its name in messages.
        elsewhere: the hint for a type that this engine does not know.
    """

    def __init__(self, engine: str, elsewhere: str) -> None:
        self._engine = engine
        self._elsewhere = elsewhere
        self._entries: dict[str, _Entry[Layer]] = {}

    def layer(self, kind: str, *, bottoms: int | Range, tops: int | Range) -> Callable[[type[Layer]], type[Layer]]:
        """Register a class as the layer of that type, with the numbers of bottoms and tops that it takes.

        Raises:
            ValueError: the type is registered already.
        """

        def register(cls: type[Layer]) -> type[Layer]:
            if kind in self._entries:
                raise ValueError(f"layer type {kind} is registered twice")
            self._entries[kind] = _Entry(cls=cls, bottoms=_range(bottoms), tops=_range(tops))
            return cls

        return register

    def types(self) -> list[str]:
        """The names of all known layer types, sorted."""
        return sorted(self._entries)

    def find(self, spec: LayerSpec) -> type[Layer]:
        """The class that runs `spec`.

        Raises:
            NetError: X04, the type is unknown (the message lists those known); or the number of bottoms or tops is
                wrong.
        """
        entry = self._entries.get(spec.type)
        if entry is None:
            known = self.types()
            close = did_you_mean(spec.type, known) or ""
            raise NetError(
                f"layer '{spec.name}': type '{spec.type}' is not known to the {self._engine} engine; "
                f"known: {', '.join(known)}",
                hint=f"{close} {self._elsewhere}" if close.startswith("did") else self._elsewhere,
                fault="X04",
            )
        _check(spec, "bottoms", spec.bottoms, entry.bottoms)
        _check(spec, "tops", spec.tops, entry.tops)
        return entry.cls


def _range(number: int | Range) -> Range:
    return (number, number) if isinstance(number, int) else number


def _check(spec: LayerSpec, what: str, names: tuple[str, ...], allowed: Range) -> None:
    least, most = allowed
    if len(names) < least or (most is not None and len(names) > most):
        expected = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
        raise NetError(f"layer '{spec.name}' ({spec.type}): {len(names)} {what}, expected {expected}")
