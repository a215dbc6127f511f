from __future__ import annotations

import os

import pytest

from workflow.data.sniff import PictureError
from workflow.data.sources.files import read_stable


def test_p31_a_file_that_changes_is_not_believed(tmp_path):
    with pytest.raises(OSError, match="changed while being read"):
        read_stable(b"/proc/self/status", 10**6)  # says that it is empty, and is not
    os.mkfifo(tmp_path / "fifo")  # whoever opens it to read waits for a writer for ever
    with pytest.raises(OSError, match="no longer a regular file"):
        read_stable(os.fsencode(tmp_path / "fifo"), 10**6)


def test_p12_files_far_too_large_are_not_read(tmp_path):
    path = tmp_path / "film.jpg"
    with path.open("wb") as file:
        file.truncate(10**12)  # a hole
    with pytest.raises(PictureError, match="more than a picture needs"):
        read_stable(os.fsencode(path), 10**6)
