"""Server-sent events: order, what was missed, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from workflow.web.errors import Busy
from workflow.web.events import Hub


async def some(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await asyncio.wait_for(anext(stream), 60) for _ in range(count)]


def test_everybody_hears_everything_in_order() -> None:
    async def run() -> None:
        hub = Hub()
        hub.publish("job", {"id": 0})  # before they listen
        streams = [hub.listen() for _ in range(8)]
        for stream in streams:
            assert await some(stream, 1) == [b"retry: 2000\n\n"]
        for number in (1, 2, 3):
            hub.publish("job", {"id": number})
        for stream in streams:
            texts = await some(stream, 3)
            assert [text.split(b"\n")[2] for text in texts] == [b'data: {"id": %d}' % one for one in (1, 2, 3)]
        assert hub.listeners == 8
        hub.close()
        for stream in streams:
            assert [one async for one in stream] == []
        assert hub.listeners == 0

    asyncio.run(run())


def test_what_was_missed_is_sent_and_another_run_has_nothing_to_send() -> None:
    async def run() -> None:
        hub = Hub()
        first = hub.listen()
        await some(first, 1)
        for number in range(5):
            hub.publish("label", {"seq": number})
        texts = await some(first, 5)
        last = texts[1].split(b"\n")[0].removeprefix(b"id: ").decode()
        again = hub.listen(last)
        assert (await some(again, 4))[1:] == texts[2:]
        for odd in ("other.1", "", "x", f"{last.partition('.')[0]}.{'9' * 40}", "ü.²"):
            stream = hub.listen(odd)
            await some(stream, 1)
            hub.publish("label", {"odd": odd})
            if "9" * 40 not in odd:
                (text,) = await some(stream, 1)
                assert b"odd" in text

    asyncio.run(run())


def test_listeners_are_limited() -> None:
    async def run() -> None:
        hub = Hub()
        streams = [hub.listen() for _ in range(64)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(Busy):
            hub.listen()
        await streams[0].aclose()  # type: ignore[attr-defined]
        hub.listen()

    asyncio.run(run())
