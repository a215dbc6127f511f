"""wf channels."""

from __future__ import annotations

from pathlib import Path

from running import Run


def test_json_and_words(trained: Run) -> None:
    document = trained("channels", "conv1", "--channel", "3", "--channel", "5", "--json").json
    assert document["blob"] == "conv1"
    assert document["snapshot"] == "gen1/iter_2"
    assert [one["channel"] for one in document["channels"]] == [3, 5]
    for one in document["channels"]:
        assert len(one["patches"]) == 9
        box = one["patches"][0]["box"]
        assert box["bottom"] - box["top"] <= 5
    assert Path(document["pictures"]["conv1"]).stat().st_size > 5_000
    ran = trained("channels", "conv1", "--channel", "3", "--out", "there")
    assert "\n        3 " in ran.out
    assert Path("there/conv1-3.png").is_file()


def test_a_blob_without_places(trained: Run) -> None:
    ran = trained("channels", "ip1", code=2)
    assert "blob 'ip1' has no map of places" in ran.err
    assert "conv1, pool1, conv2, pool2, conv3, pool3" in ran.err
