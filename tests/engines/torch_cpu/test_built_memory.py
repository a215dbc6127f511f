from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

PASSES = """
import resource, sys
from pathlib import Path
import numpy as np
import torch
from workflow.engines.torch_cpu import Net
from workflow.formats.prototxt import read_net
from workflow.net.build import build

net = Net(build(read_net(Path(sys.argv[1])), phase="TEST"))
pictures = np.zeros((100, 3, 32, 32), np.float32)
with torch.inference_mode():
    for _ in range(5):
        net.run({"data": pictures})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        net.run({"data": pictures})
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library is told to keep memory")
def test_a_pass_takes_the_memory_of_the_last_one():
    deploy = Path(__file__).parents[3] / "prototxt" / "cifar10_quick_deploy.prototxt"
    done = subprocess.run([sys.executable, "-c", PASSES, deploy], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 600  # pages, beside other work, too; the blobs of one pass fill 6,000
