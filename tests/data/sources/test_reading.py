"""Whatever holds a picture can be named: workers on other machines must see it."""

from __future__ import annotations

from workflow.data.sources.reading import holder


def test_what_holds_a_picture_is_a_file_or_a_tar():
    assert holder(b"images/cat/\xff.png") == b"images/cat/\xff.png"
    assert holder(b"shards/0.tar/cat/1.png\x0012 512 70 10240 1") == b"shards/0.tar"
