"""What is kept of a picture, where, and what is known of it."""

from __future__ import annotations

import hashlib
import io
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from an_inbox import digest, inbox, jpeg, label, send
from one_generation import make_one
from PIL import Image

from workflow.api import Project
from workflow.data import corrections
from workflow.errors import DataError, NotFound, UsageError
from workflow.inbox import Filters, Inbox, Submission, learning, schema, thumbnails
from workflow.inbox.schema import connect

__all__ = ["inbox"]


def test_bytes_are_kept_as_they_were_sent_for_the_owner_alone(inbox):
    sha = send(inbox, 1)
    path = inbox.path(sha)
    assert path == inbox.folder / "files" / sha[:2] / f"{sha}.jpg"
    assert path.read_bytes() == jpeg(1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(inbox.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(inbox.database.stat().st_mode) == 0o600


def test_a_damaged_file_is_mended_by_sending_the_picture_again(inbox):
    sha = send(inbox, 1)
    inbox.path(sha).write_bytes(bytes(len(jpeg(1))))
    send(inbox, 1)
    assert digest(inbox.path(sha).read_bytes()) == sha


def test_an_inbox_is_opened_again_with_all_that_was_in_it(inbox):
    sha = send(inbox, 1, cat=0.7, dog=0.3)
    inbox.label([label(sha, "cat")])
    before = inbox.picture(sha)
    inbox.close()
    with Inbox(inbox.config) as again:
        assert again.picture(sha) == before


def test_the_database_is_as_safe_as_sqlite_makes_it(inbox):
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    found = inbox.write(lambda c: [c.execute(f"PRAGMA {one}").fetchone()[0] for one in pragmas])
    assert found == ["wal", 2, 1, 1]
    tables = inbox.read(lambda c: c.execute("PRAGMA table_list").fetchall())
    assert all(strict for _, name, kind, _, _, strict in tables if kind == "table" and not name.startswith("sqlite_"))


def test_files_that_are_no_inbox(tmp_path):
    config = Project(tmp_path).config
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "inbox.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"inbox.sqlite is damaged"):
        Inbox(config)
    (folder / "inbox.sqlite").unlink()
    other = connect(folder / "inbox.sqlite")
    other.executescript("CREATE TABLE mine (x); PRAGMA user_version = 7")
    other.close()
    with pytest.raises(DataError, match="is a database, but no inbox of wf"):
        Inbox(config)


def test_a_network_file_system_is_reported(inbox, monkeypatch, caplog):
    monkeypatch.setattr(schema, "network_file_system", lambda _: "nfs4")
    with Inbox(inbox.config):
        assert "on a network file system (nfs4): only one computer may use it at a time" in caplog.text


def test_an_inbox_of_a_newer_wf(inbox):
    inbox.write(lambda c: c.execute("PRAGMA user_version = 99"))
    with pytest.raises(DataError, match="newer version of wf"):
        Inbox(inbox.config)


def test_what_generations_say_of_a_picture(project):
    one = make_one(project)
    path = next(Path("images/train/circle").iterdir())
    with Inbox(Project(project).config) as inbox:
        assert inbox.known(digest(path.read_bytes())) is None
        assert (inbox.learn(), inbox.learn()) == (1, 0)
        found = inbox.known(digest(path.read_bytes()))
        assert found.json() == {"class": "circle", "generation": 1, "split": "train", "path": str(path)}
        assert inbox.picture(digest(path.read_bytes()))["label"] == "circle"
        assert inbox.classes() == ("circle", "cross", "empty")
        subprocess.run(["mv", one.folder, project / "elsewhere"], check=True)
        inbox.learn()
        assert inbox.known(digest(path.read_bytes())) is None
        assert inbox.gallery(Filters(generation=1)).total == 0
        assert inbox.gallery(Filters()).items[0]["generation"] is None


def test_a_decision_holds_until_a_generation_is_made_of_it(project):
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        sha = inbox.gallery(Filters(class_name="circle", split="train")).items[0]["sha256"]
        inbox.label([label(sha, "cross", was="circle")])
        inbox.takeover()
        assert inbox.picture(sha)["label"] == "cross"
        Project(project).prepare()
        inbox.learn()
        assert (inbox.picture(sha)["label"], inbox.known(sha).class_name) == ("cross", "cross")
        Project(project).undo_suspects()
        Project(project).prepare()
        inbox.learn()
        assert inbox.picture(sha)["label"] == "circle"  # what the newest generation says


def photo() -> bytes:
    """A picture with a position, a camera's name, a comment and a thumbnail of its own, turned on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (35.0, 39.0, 31.0)
    out = io.BytesIO()
    picture = Image.effect_noise((600, 400), 80).convert("RGB")
    picture.save(out, "JPEG", exif=exif, comment=b"SecretComment", icc_profile=b"SecretProfile" * 20)
    return out.getvalue()


def test_a_thumbnail_carries_nothing_of_the_senders_file_but_pixels(inbox):
    data = photo()
    assert b"SecretCamera" in data
    inbox.enter(inbox.keep(data, "JPEG"), Submission(width=600, height=400, token=1)).result()
    for side in thumbnails.SIDES:
        made = inbox.thumbnail(digest(data), side)
        assert b"Secret" not in made
        image = Image.open(io.BytesIO(made))
        assert image.size == (min(400, side * 400 // 600 + 1), min(600, side)) or max(image.size) == side
        assert image.height > image.width  # upright
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_thumbnail_is_made_once_and_again_when_it_is_damaged(inbox):
    sha = send(inbox, 1)
    calls: list[int] = []

    def make(data: bytes, side: int) -> bytes:
        calls.append(side)
        return thumbnails.make(data, side)

    first = inbox.thumbnail(sha, 256, make)
    assert inbox.thumbnail(sha, 256, make) == first
    (kept,) = (inbox.folder / "thumbs").rglob("*.256")
    kept.write_bytes(b"")
    assert inbox.thumbnail(sha, 256, make) == first
    assert calls == [256, 256]
    assert thumbnails.content_type(first) == "image/png"  # small: pixels as they are
    with pytest.raises(UsageError, match="side is 300, expected 256, 512, 1024"):
        inbox.thumbnail(sha, 300)


def test_pictures_that_are_not_there(inbox):
    with pytest.raises(NotFound, match="no picture 000000000000…"):
        inbox.thumbnail("0" * 64, 256)
    with pytest.raises(NotFound, match="no picture"):
        inbox.report("0" * 64, class_name="cat")
    sha = send(inbox, 1)
    inbox.path(sha).unlink()
    with pytest.raises(NotFound, match="the file of picture .* is gone"):
        inbox.path(sha)


def test_tokens_are_known_by_their_hash_alone(inbox):
    text = inbox.add_token("bot", "bot")
    found = inbox.token(text)
    assert (found.name, found.role) == ("bot", "bot")
    assert inbox.token(text + "x") is None
    assert inbox.token("") is None
    stored = inbox.read(lambda c: c.execute("SELECT hash FROM token WHERE name = 'bot'").fetchone())[0]
    assert stored == hashlib.sha256(text.encode()).hexdigest()
    inbox.revoke("bot")
    assert inbox.token(text) is None
    assert inbox.revoke("bot").revoked
    with pytest.raises(UsageError, match="called 'bot' already"):
        inbox.add_token("bot", "bot")
    with pytest.raises(UsageError, match="cannot be called"):
        inbox.add_token("a\nb", "bot")
    with pytest.raises(UsageError, match="role is 'king'"):
        inbox.add_token("x", "king")
    with pytest.raises(UsageError, match="person at this machine"):
        inbox.revoke("owner")


def test_a_preparation_that_began_before_the_takeover_does_not_turn_a_decision_back(project, monkeypatch):
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        sha = inbox.gallery(Filters(class_name="circle", split="train")).items[0]["sha256"]
        new = send(inbox, 1)
        inbox.label([label(sha, "cross", was="circle"), label(new, "cross")])
        inbox.takeover()
        inbox.label([label(new, "empty", was="cross")])
        with monkeypatch.context() as patch:
            patch.setattr(corrections, "patches", lambda _: ())  # as it had read them
            Project(project).prepare()
        inbox.takeover()
        assert (inbox.known(sha).class_name, inbox.picture(sha)["label"]) == ("circle", "cross")
        assert (inbox.known(new).class_name, inbox.picture(new)["label"]) == ("cross", "empty")
        assert inbox.label([label(sha, "circle", was="cross", key="back")])[0].status == "saved"


def test_an_undo_leads_back_behind_a_generation_that_was_made_of_the_decision(project):
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        own = inbox.gallery(Filters(class_name="circle", split="train")).items[0]["sha256"]
        new = send(inbox, 1)
        inbox.label([label(own, "cross", was="circle", key="own"), label(new, "cross", key="new")])
        inbox.takeover()
        Project(project).prepare()
        inbox.learn()
        assert (inbox.undo("own").class_name, inbox.undo("new").class_name) == ("circle", None)
        for _ in range(2):
            inbox.learn()
            assert (inbox.picture(own)["label"], inbox.picture(new)["label"]) == ("circle", None)
            inbox.takeover()
            Project(project).prepare(force=True)
        assert inbox.known(own).class_name == "circle"
        assert inbox.known(new).generation == 2  # in no later one


def test_an_inbox_of_the_first_format_is_brought_up_to_date(inbox, monkeypatch):
    sha = send(inbox, 1)
    inbox.label([label(sha, "cat")])
    inbox.close()
    with connect(inbox.database) as old:
        old.execute("ALTER TABLE state DROP COLUMN taken_patch")
        old.execute("ALTER TABLE generation DROP COLUMN patch")
        old.execute("PRAGMA user_version = 1")
    old.close()
    with Inbox(inbox.config) as again:
        assert again.picture(sha)["label"] == "cat"
        columns = again.read(lambda c: [row[1] for row in c.execute("PRAGMA table_info (state)")])
        assert "taken_patch" in columns


def test_threads_that_learn_at_once_learn_once(project):
    make_one(project)
    with Inbox(Project(project).config) as inbox, ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: inbox.learn(), range(4))) == [0, 0, 0, 1]


def test_no_takeover_sees_a_generation_that_is_half_learnt(project, monkeypatch):
    """It would take pictures of the project's own folders for new ones, and link them."""
    make_one(project)
    with Inbox(Project(project).config) as inbox:
        inbox.learn()
        sha = inbox.gallery(Filters(class_name="circle", split="train")).items[0]["sha256"]
        inbox.label([label(sha, "cross", was="circle")])
        next(Path("images/train/empty").iterdir()).unlink()
        Project(project).prepare(gen=1, force=True)
        began, go_on = threading.Event(), threading.Event()
        real = learning._learn

        def slow(*arguments: object) -> None:
            learning._forget(inbox.write, 1, ())
            began.set()
            go_on.wait(60)
            real(*arguments)

        monkeypatch.setattr(learning, "_learn", slow)
        with ThreadPoolExecutor(2) as pool:
            learnt = pool.submit(inbox.learn)
            began.wait(60)
            taken = pool.submit(inbox.takeover)
            time.sleep(0.1)
            go_on.set()
            assert (learnt.result(), taken.result().corrected, taken.result().linked) == (1, 1, 0)
