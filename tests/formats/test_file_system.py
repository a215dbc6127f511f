from __future__ import annotations

from pathlib import Path

import pytest

from workflow.formats import file_system
from workflow.formats.file_system import kind_of, network_file_system

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw - nfs4 host:/export rw
31 30 8:2 / /mnt/nas/local\040disk rw master:2 - xfs /dev/sdb rw
32 22 0:41 / /home/me/far rw shared:3 shared:4 - fuse.sshfs me@host: rw
33 22 0:42 / /mnt/win rw - cifs //host/share rw
34 22 0:43 / /mnt/win rw - tmpfs tmpfs rw
35 22 0:44 / /mnt/ntfs rw - fuseblk /dev/sdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/mnt/nasty", "ext4"),
        ("/mnt/nas/a/b", "nfs4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/local disk/x", "xfs"),
        ("/home/me/far/away", "fuse.sshfs"),
        ("/mnt/win/x", "tmpfs"),
    ],
)
def test_the_longest_and_latest_mount_point_counts(path, kind):
    assert kind_of(path, MOUNTS) == kind


def test_l09_network_file_systems_are_named(tmp_path, monkeypatch):
    (tmp_path / "mountinfo").write_text(MOUNTS)
    monkeypatch.setattr(file_system, "_MOUNTS", tmp_path / "mountinfo")
    places = ["/mnt/nas/new/folder", "/home/me/far", "/mnt/ntfs/x", "/mnt/win/x", "/x"]
    assert [network_file_system(Path(place)) for place in places] == ["nfs4", "fuse.sshfs", None, None, None]


def test_where_the_system_does_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr(file_system, "_MOUNTS", tmp_path / "none")
    assert network_file_system(tmp_path) is None


def test_odd_lines_are_skipped():
    assert kind_of("/x", "garbage\n\n1 2 3 - \n") == ""
