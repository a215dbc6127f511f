"""Queues: filled in the background, read by keyset, counted by triggers."""

from __future__ import annotations

import pytest
from an_inbox import inbox, label, send

from workflow.errors import NotFound, UsageError
from workflow.inbox import Facts, Filters, Inbox, Item, gallery

__all__ = ["inbox"]


def items(count: int, first: int = 0) -> list[Item]:
    return [
        Item(
            facts=Facts(sha256=f"{number:064x}", bytes=1), path=f"pile/{number}.png", suggestion="cat", probability=0.5
        )
        for number in range(first, first + count)
    ]


def left(inbox: Inbox) -> dict[str, int]:
    return {one.name: one.count for one in inbox.queues()}


def test_the_most_doubtful_comes_first_and_what_is_contradicted_before_all(inbox):
    sure = send(inbox, 1, cat=0.99, dog=0.01)
    doubtful = send(inbox, 2, cat=0.51, dog=0.49)
    wrong = send(inbox, 3, cat=1.0, dog=0.0)
    unknown = send(inbox, 4)
    assert inbox.report(wrong, class_name="dog", note="a dog!") == inbox.report(wrong, class_name="dog", note="a dog!")
    shown = inbox.queue("sent").items
    assert [item["sha256"] for item in shown] == [wrong, unknown, doubtful, sure]
    assert (shown[0]["suggested"], shown[0]["reason"], shown[0]["probability"]) == ("dog", "reported as 'dog'", None)
    assert len(inbox.picture(wrong)["reports"]) == 1
    inbox.report(sure, class_name="cat")  # agrees
    assert inbox.queue("sent").items[-1]["sha256"] == sure


def test_what_is_sent_again_is_one_picture_with_two_submissions(inbox):
    sha = send(inbox, 1, cat=0.6)
    assert send(inbox, 1, cat=0.9) == sha
    assert left(inbox) == {"sent": 1}
    assert [one["probability"] for one in inbox.picture(sha)["answers"]] == [0.9, 0.6]


def test_a_report_about_a_decided_picture_does_not_open_it_again(inbox):
    sha = send(inbox, 1, cat=0.6)
    inbox.label([label(sha, "cat")])
    inbox.report(sha, class_name="dog")
    assert left(inbox) == {"sent": 0}


def test_a_picture_is_decided_in_all_queues_at_once(inbox):
    inbox.fill("next", "Next", items(3))
    inbox.fill("junk", "Junk", items(2))
    (answer,) = inbox.label([label(f"{0:064x}", "cat", key="k")])
    assert answer.status == "saved"
    assert left(inbox) == {"sent": 0, "junk": 1, "next": 2}
    inbox.undo("k")
    assert left(inbox) == {"sent": 0, "junk": 2, "next": 3}


def test_filling_anew_replaces_and_leaves_out_what_was_decided(inbox):
    inbox.fill("next", "Next", items(4))
    inbox.label([label(f"{1:064x}", "cat")])
    assert inbox.fill("next", "Next, again", items(3)) == 2
    assert [item["sha256"][-1] for item in inbox.queue("next").items] == ["0", "2"]
    assert inbox.read(lambda c: c.execute("SELECT count(*) FROM queue_item").fetchone()) == (2,)
    assert [one.title for one in inbox.queues()] == ["Sent, without a label", "Next, again"]


def test_a_queue_shows_the_old_filling_until_the_new_one_is_whole(inbox):
    inbox.fill("next", "Next", items(2))

    def slow():
        yield from items(600, first=10)
        assert left(inbox)["next"] == 2
        inbox.label([label(f"{10:064x}", "cat")])  # decided while it is being filled
        yield from items(5, first=700)

    assert inbox.fill("next", "Next", slow()) == 604
    assert left(inbox)["next"] == 604


def test_two_jobs_that_fill_the_same_queue_do_not_disturb_each_other(inbox):
    inbox.fill("next", "Next", items(2))

    def interrupted():
        yield from items(150, first=10)
        assert inbox.fill("next", "The other", items(3, first=500)) == 3
        yield from items(150, first=200)

    assert inbox.fill("next", "Mine", interrupted()) == 300
    assert left(inbox) == {"sent": 0, "next": 300}
    assert inbox.read(lambda c: c.execute("SELECT count(*) FROM queue_item").fetchone()) == (300,)


def test_a_filling_that_fails_leaves_the_queue_as_it_was(inbox):
    inbox.fill("next", "Next", items(2))

    def broken():
        yield from items(600, first=10)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        inbox.fill("next", "Next", broken())
    assert left(inbox)["next"] == 2
    inbox.write(lambda c: c.execute("UPDATE filling SET at = '2000' WHERE id NOT IN (SELECT filling FROM queue)"))
    assert inbox.sweep().items == 600
    assert inbox.fill("next", "Next", items(3)) == 3


@pytest.mark.parametrize("name", ["", "sent", "A", "a/b", "../x", "x" * 65, "ü"])
def test_names(inbox, name):
    with pytest.raises(UsageError, match="a queue cannot be called"):
        inbox.fill(name, "", [])


def test_unknown_queues_and_cursors(inbox):
    with pytest.raises(NotFound, match="no queue 'nixt'"):
        inbox.queue("nixt")
    for after in ("x", "1.2.3", "1;DROP TABLE event", "9" * 40, "", "1\n"):
        with pytest.raises(UsageError, match="after is"):
            inbox.queue("sent", after=after)
    for limit in (0, 101, -1):
        with pytest.raises(UsageError, match="limit is"):
            inbox.queue("sent", limit=limit)


def test_pages_are_found_by_an_index_and_never_by_counting_off(inbox):
    inbox.fill("next", "Next", items(300))
    plans = []
    inbox.read(lambda c: c.set_trace_callback(plans.append))
    page = inbox.queue("next", limit=100)
    page = inbox.queue("next", limit=100, after=page.next)
    inbox.read(lambda c: c.set_trace_callback(None))
    (query, *_) = [one for one in plans if "ORDER BY i.place" in one]
    assert "OFFSET" not in query
    plan = inbox.read(lambda c: c.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
    assert "USING INDEX queue_item_open (filling=? AND (place,picture)>(?,?))" in plan[0][3]
    assert not [row for row in plan if "TEMP B-TREE" in row[3] or row[3].startswith("SCAN")]
    assert page.items[0]["sha256"] == f"{100:064x}"


def test_a_queue_is_filtered_by_what_is_known_of_its_pictures(inbox):
    inbox.fill("next", "Next", items(250))
    inbox.write(lambda c: c.execute("UPDATE picture SET class = 'dog', split = 'test' WHERE id % 2 = 0"))
    chosen = Filters(class_name="dog", split="test")
    first = inbox.queue("next", chosen, limit=100)
    assert (first.total, len(first.items), {item["class"] for item in first.items}) == (125, 100, {"dog"})
    (anchor,) = inbox.anchors("next", chosen, 100)
    assert anchor == first.next
    rest = inbox.queue("next", chosen, after=anchor)
    assert [len(rest.items), rest.next] == [25, None]
    assert inbox.queue("next", Filters(class_name="cat")).total == 125  # suggested, where there is no class
    assert inbox.queue("next", Filters(sender="nobody")).total == 0
    assert inbox.queue("next", Filters(generation=1)).total == 0
    assert inbox.queue("next").total == 250


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), "SEARCH p USING INTEGER PRIMARY KEY (rowid>?)"),
        (Filters(class_name="cat"), "SEARCH p USING INDEX picture_class (class=? AND rowid>?)"),
        (Filters(generation=1), "SEARCH m USING PRIMARY KEY (generation=? AND picture>?)"),
        (Filters(generation=1, sender="x"), "SEARCH m USING PRIMARY KEY (generation=? AND picture>?)"),
    ],
    ids=str,
)
def test_the_gallery_jumps_by_an_index(inbox, filters, found):
    plans = []
    inbox.report(send(inbox, 1), class_name=None)
    with inbox._reader() as c:
        c.set_trace_callback(plans.append)
        gallery.anchors(c, filters, 10)
        gallery.page(c, filters, after="5")
        c.set_trace_callback(None)
        for query in plans:
            plan = [row[3] for row in c.execute(f"EXPLAIN QUERY PLAN {query}")]
            assert not [step for step in plan if "TEMP B-TREE" in step], query
            if "ORDER BY" in query:
                assert plan[0].replace("COVERING INDEX", "INDEX") == found
