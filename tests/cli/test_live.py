"""wf live, and what answers while a generation is in the making."""

from __future__ import annotations

from running import Run

PICTURE = "images/test/cross/0.png"


def test_no_command_goes_dark_while_a_generation_is_made(three: Run) -> None:
    three("prepare", "--force")
    for command in (("predict", PICTURE), ("inspect", PICTURE), ("evaluate",), ("why", PICTURE)):
        ran = three(*command)
        assert "gen3/iter_20 is the default snapshot (the newest with finished training); newer: gen4" in ran.err
        assert "gen4, training not finished" in ran.err
        assert "gen4" not in ran.out
    ran = three("predict", PICTURE, "--gen", "4", code=2)
    assert "generation 4 has no snapshot yet" in ran.err
    assert three("predict", PICTURE, "--quiet").err == ""
    three("train", "--max-iter", "3", "--quiet")
    ran = three("predict", PICTURE, "--json")
    assert ran.json["predictions"]
    assert "newer" not in ran.err


def test_pins(three: Run) -> None:
    assert three("live").out == "gen3/iter_20 is the default snapshot (the newest with finished training)\n"
    document = three("live", "gen1", "--json").json
    assert (document["snapshot"], document["pinned"], document["newer"]) == ("gen1/iter_20", True, ["gen2", "gen3"])
    assert "gen1/iter_20 is the default snapshot (pinned); newer: gen2, gen3" in three("predict", PICTURE).err
    assert "gen3/iter_10" in three("live", "gen3/iter_10").out
    assert three("predict", PICTURE, "--snapshot", "live").err == ""
    assert three("live", "--follow").out.startswith("gen3/iter_20 is the default snapshot (the newest")
    assert "cannot be used together" in three("live", "gen1", "--follow", code=2).err
    assert "generation 9 not found" in three("live", "gen9/best", code=2).err


def test_only_what_is_not_worse_is_promoted(three: Run) -> None:
    """Generation 2 is trained until it is right; generation 3 has random weights, then is trained, too."""
    assert three("live", "--promote", "--json").json["promoted"] is False  # nothing is newer
    three("train", "--gen", "2", "--fresh", "--max-iter", "80", "--quiet")
    three("live", "gen2/best")
    pinned = three("live", "--json").json["snapshot"]
    ran = three("live", "--promote", code=1)
    assert f"a clear difference: gen3/iter_20 is worse than {pinned}" in ran.err
    assert f"{pinned} is still the default snapshot" in ran.err
    assert three("live", "--json").json["snapshot"] == pinned
    three("train", "--gen", "3", "--fresh", "--max-iter", "80", "--quiet")
    ran = three("live", "--promote", "--json")
    assert ran.json["promoted"]
    assert ran.json["verdict"]["outcome"] != "worse"
    assert ran.json["snapshot"].startswith("gen3/")
