"""Update rules, one per file, and learning-rate policies."""

from __future__ import annotations

import importlib
import pkgutil

from workflow.solvers.base import UpdateRule, create_rule, rule, rule_types
from workflow.solvers.policies import POLICIES, Rate

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["POLICIES", "Rate", "UpdateRule", "create_rule", "rule", "rule_types"]
