"""In processes of their own: only the end of one shows what it does there."""

from __future__ import annotations

import subprocess
import sys

import pytest

CIRCLE = """
from workflow.garbage import collect_rarely
{first}
class Circle:
    def __init__(self):
        self.me = self
    def __del__(self):
        print("found")
held = Circle()
print("end")
"""


@pytest.mark.parametrize(
    ("first", "said"), [("", ["end", "found"]), ("collect_rarely()", ["end"])], ids=["python", "rarely"]
)
def test_nothing_is_looked_for_at_the_end(first: str, said: list[str]) -> None:
    code = CIRCLE.format(first=first)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == said
