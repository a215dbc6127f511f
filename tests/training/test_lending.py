"""A training on two hosts, which are two addresses of this machine."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from overriding import over
from own_host import own_host

from workflow.config import rooted
from workflow.engines.base import Control
from workflow.engines.ranks.addresses import loopback
from workflow.errors import UsageError
from workflow.training import lend, train


def test_two_hosts_give_the_bytes_of_one(settings, generation, tmp_path_factory):
    """The second one has a copy of the data; nothing is written there."""
    copy = tmp_path_factory.mktemp("second") / "project"
    shutil.copytree(Path(), copy)
    before = sorted(copy.rglob("*"))
    hosts = (own_host(), "127.0.0.2")
    both = over(settings, train__interface=loopback())
    with ThreadPoolExecutor() as threads:
        other = threads.submit(lambda: [event.text for event in lend(rooted(both, copy), hosts, 1, Control())])
        for _ in train(both, hosts=hosts):
            pass
        assert other.result() == [
            f"computing for {hosts[0]}, worker 1 of 0 to 1; snapshots are written there",
            f"{hosts[0]} has ended the training",
        ]
    assert sorted(copy.rglob("*")) == before
    found = {path.name: path.read_bytes() for path in generation.snapshots.iterdir()}
    for _ in train(over(settings, train__micro=2), fresh=True):
        pass
    assert {path.name: path.read_bytes() for path in generation.snapshots.iterdir()} == found


@pytest.mark.parametrize(
    ("hosts", "rank", "words"),
    [
        (("a",), 1, "--hosts a: expected at least two different hosts"),
        (("a", "a"), 1, "--hosts a,a: expected at least two different hosts"),
        (("a", "b"), 2, "--rank 2: expected 0 to 1, a place in --hosts"),
    ],
)
def test_t22_hosts_and_ranks_that_cannot_be(settings, hosts, rank, words):
    with pytest.raises(UsageError, match=words) as found:
        list(lend(settings, hosts, rank, Control()))
    assert found.value.fault == "T22"


def test_t22_another_number_of_workers_than_hosts(settings, generation):
    with pytest.raises(UsageError, match="--workers 3 and 2 hosts: each host has one worker"):
        next(train(over(settings, train__workers=3), hosts=("a", "b")))
