from __future__ import annotations

from small_generation import foreign, prepared, settings, trained

__all__ = ["foreign", "prepared", "settings", "trained"]
