"""Settings with some of them replaced, as flags and keyword arguments replace them."""

from __future__ import annotations

from msgspec import structs

from workflow.config import Config, typed, untyped


def over(config: Config, **settings: object) -> Config:
    """`over(config, train__threads=1)`: a copy with train.threads 1, checked as the settings file is."""
    values = untyped(config)
    for name, value in settings.items():
        section, _, field = name.partition("__")
        values[section][field] = value
    checked = typed(values, Config)
    sections = {name.partition("__")[0] for name in settings}
    return structs.replace(config, **{section: getattr(checked, section) for section in sections})
