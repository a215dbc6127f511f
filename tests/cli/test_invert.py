"""wf invert."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Run

from workflow.generations.places import picture_key
from workflow.interpretation.synthesis import decoder

IMAGE = "images/character/0000.png"


def test_json(trained: Run) -> None:
    document = trained("invert", IMAGE, "--blob", "conv2", "--blob", "pool3", "--steps", "20", "--json").json
    assert document["blob"] == "pool3"
    assert [one["blob"] for one in document["stages"]] == ["conv2", "pool3"]
    assert document["feature_error"] > 0
    assert document["psnr"] > 0
    assert -1 <= document["ssim"] <= 1
    assert Path(document["pictures"]["invert"]) == Path(
        f"generations/gen1/inspect/0000-{picture_key(Path(IMAGE))}-iter_2/invert.png"
    )


def test_a_decoder_is_trained_once_and_kept(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "STEPS", 5)
    monkeypatch.setattr(decoder.train, "__kwdefaults__", {"steps": 5, "progress": None})
    first = trained("invert", IMAGE, "--blob", "ip1", "--decoder", "--steps", "2", "--json").json
    assert [one["how"] for one in first["stages"]] == ["optimisation", "decoder"]
    kept = Path("generations/gen1/vision/iter_2/decoders/ip1.npz")
    written = kept.stat().st_mtime_ns
    again = trained("invert", IMAGE, "--blob", "ip1", "--decoder", "--steps", "2", "--json").json
    assert again["stages"] == first["stages"]
    assert kept.stat().st_mtime_ns == written
    kept.write_bytes(kept.read_bytes()[:300])  # damaged: it is left aside, and trained anew where that is asked for
    assert len(trained("invert", IMAGE, "--blob", "ip1", "--steps", "2", "--json").json["stages"]) == 1
