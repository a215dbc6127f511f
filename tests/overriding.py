"""Settings with some of them replaced, as flags and keyword arguments replace them."""

from __future__ import annotations

from workflow.config import Config


def over(config: Config, **settings: object) -> Config:
    """`over(config, train__threads=1)`: a copy with train.threads 1, checked as the settings file is."""
    values = config.model_dump()
    for name, value in settings.items():
        section, _, field = name.partition("__")
        values[section][field] = value
    checked = Config.model_validate(values)
    sections = {name.partition("__")[0] for name in settings}
    return config.model_copy(update={section: getattr(checked, section) for section in sections})
