"""Fixtures of layer tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from one_layer import SHAPE, Applied, Array, apply


@pytest.fixture
def one_layer() -> Callable[..., Applied]:
    return apply


@pytest.fixture
def x() -> Array:
    """Numbers of both signs, all different, of shape (2, 3, 7, 5)."""
    return np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
