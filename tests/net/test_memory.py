from __future__ import annotations

import pytest

from workflow.errors import NetError
from workflow.net.memory import check_memory


def test_x07_says_both_sizes():
    check_memory(8 * 10**9, machine=8 * 10**9)
    with pytest.raises(NetError, match="net needs about 480 GB of memory, this machine has 8 GB") as caught:
        check_memory(480 * 10**9, machine=8 * 10**9)
    assert caught.value.fault == "X07"


def test_asks_the_machine():
    check_memory(10**6)
    with pytest.raises(NetError, match="this machine has"):
        check_memory(10**18)
