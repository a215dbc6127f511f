"""Every layer type forward and backward against what real Caffe said once: tests/golden/layers/record.py.

Some that only forks have are held against what OpenCV said, forward alone.
"""

from __future__ import annotations

import pytest
from conformance.case import ELSEWHERE, GENERATORS, load_families
from conformance.golden import GOLDEN, read
from conformance.replay import replay

FILES = sorted(GOLDEN.glob("*.npz"))
load_families()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_outputs_and_gradients_are_those_recorded(path, tmp_path):
    nets, origin = read(path)
    generator = GENERATORS[path.stem]
    assert origin["by"].startswith("OpenCV 4" if generator.opencv else "real Caffe")
    assert len(nets) >= (20 if generator.by_golden_file else 2)
    for name, recording in nets.items():
        (tmp_path / name).mkdir()
        worst = replay(recording, tmp_path / name)
        assert max(worst.outputs, worst.gradients) <= generator.tolerance, (worst, str(recording["net"]))


def test_every_layer_type_has_a_golden_file():
    recorded = {path.stem for path in FILES}
    assert recorded == set(GENERATORS)
    assert not recorded & set(ELSEWHERE)


def test_golden_files_are_small():
    sizes = [path.stat().st_size for path in FILES]
    assert max(sizes) < 20_000
    assert sum(sizes) < 800_000
