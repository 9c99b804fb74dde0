"""The bounded queue in front of one slow session, and the memory that all of them share.

Pure: an outbox says what became of an item; its session acts upon it. An empty outbox always takes one item, however large, so a
limit below one read cannot stop a stream. A verb (something to do, in order with the data) costs nothing and is never dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Literal, NamedTuple

from pydantic import Field

from ..options import Integer, Options, Size
from ..packet import Batch

WhenFull = Literal["drop-oldest", "drop-newest", "disconnect", "block"]


class OutboxOptions(Options):
    """The bounded queue in front of each slow session, towards readers on a network."""

    bytes: Size = Field(1 << 20, ge=1, description="how much may wait for one slow session; an empty outbox always takes one packet run")
    packets: Integer = Field(1_000_000, ge=1, description="how many packets may wait for one slow session")
    when_full: WhenFull = Field(
        "disconnect",
        description="who loses when a packet does not fit: drop-oldest, drop-newest, disconnect (the slow session), or block (whoever"
        " publishes is paused)",
    )


class DeviceOutboxOptions(OutboxOptions):
    """The same, towards a device: short, and whoever writes waits."""

    bytes: Size = Field(64 << 10, ge=1, description=OutboxOptions.model_fields["bytes"].description)
    when_full: WhenFull = Field("block", description=OutboxOptions.model_fields["when_full"].description)


class Verb(NamedTuple):
    """Something for the session to do when all before it has been written: ``close``, ..."""

    name: str
    value: Any = None


OVERHEAD = 128
"""Bytes that an item takes beside those of its body: the item, the head of the bytes object, its place in the queue."""
TOLD = 256
"""The same for a batch that is kept to be told when its item is written, and again for each packet that it may be cut into."""


class Item(NamedTuple):
    """Encoded bytes of a run of packets, or a verb."""

    body: bytes | Verb
    packets: int = 0
    origin: str = ""
    batch: Batch | None = None
    """What is in it, where that is to be told when it is written."""

    @property
    def size(self) -> int:
        """Bytes that the peer will get: what ``outbox.bytes`` limits."""
        return len(self.body) if isinstance(self.body, bytes) else 0

    @property
    def cost(self) -> int:
        """Bytes of memory that the item takes: what ``[gateway] memory`` limits. A verb is free."""
        if isinstance(self.body, Verb):
            return 0
        told = 0 if self.batch is None else 2 * len(self.batch.data) + TOLD + OVERHEAD * self.batch.count
        return len(self.body) + OVERHEAD + told


class Verdict(Enum):
    """What became of an item that was offered."""

    KEPT = "kept"
    BLOCK = "kept; pause whoever published it"
    DROPPED = "something was dropped: see the counters"
    FULL = "not kept: end the session"


class Memory:
    """What all outboxes together may hold, in bytes of memory. Past the limit the fullest gives up first.

    To find it takes the same time however many there are, so sizes are told apart by powers of two: among those of the largest size it
    is the one that has been so full for longest.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._by_size: dict[int, dict[Outbox, None]] = {}

    def charge(self, box: Outbox, cost: int) -> None:
        """Count bytes towards (or, negative, off) the sum; may make the fullest outbox give up, ``box`` itself included."""
        self.used += cost
        before = box.cost.bit_length()
        box.cost += cost
        after = box.cost.bit_length()
        if after != before:
            if before:
                self._leave(box, before)
            if after:
                self._by_size.setdefault(after, {})[box] = None
        while self.used > self.limit and self._by_size:
            fullest = next(iter(self._by_size[max(self._by_size)]))
            fullest.give_up()
            if fullest.cost:
                fullest.clear()

    def _leave(self, box: Outbox, size: int) -> None:
        boxes = self._by_size[size]
        del boxes[box]
        if not boxes:
            del self._by_size[size]


class Outbox:
    """Items in order, within ``options.bytes`` and ``options.packets``; ``when_full`` names who loses.

    ``give_up`` is called when all outboxes together are over their limit and this is the fullest; afterwards it is empty. That may happen
    within ``offer``: ``dropped_packets`` and ``dropped_bytes`` count what the policy dropped, and not what whoever gives up clears.
    """

    __slots__ = (
        "_bytes_limit",
        "_items",
        "_memory",
        "_packets_limit",
        "_when_full",
        "bytes",
        "cost",
        "dropped_bytes",
        "dropped_packets",
        "give_up",
        "packets",
    )

    def __init__(self, options: OutboxOptions, memory: Memory, give_up: Callable[[], None]) -> None:
        self._bytes_limit = options.bytes
        self._packets_limit = options.packets
        self._when_full = options.when_full
        self._memory = memory
        self._items: deque[Item] = deque()
        self.give_up = give_up
        self.bytes = 0
        self.packets = 0
        self.cost = 0
        self.dropped_packets = 0
        self.dropped_bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(tuple(self._items))

    @property
    def relieved(self) -> bool:
        """Whether those who were paused may go on: at most half full."""
        return self.bytes * 2 <= self._bytes_limit and self.packets * 2 <= self._packets_limit

    def offer(self, item: Item) -> Verdict:
        """Queue an item, or apply the policy."""
        size = item.size
        if isinstance(item.body, Verb) or not self.packets or self._fits(size, item.packets):
            self._append(item, size)
            return Verdict.KEPT
        if self._when_full == "block":
            self._append(item, size)
            return Verdict.BLOCK
        if self._when_full == "disconnect":
            self._dropped(item)
            return Verdict.FULL
        if self._when_full == "drop-newest":
            self._dropped(item)
            return Verdict.DROPPED
        while self.packets and not self._fits(size, item.packets):
            self._drop_oldest()
        self._append(item, size)
        return Verdict.DROPPED

    def take(self, limit: int) -> list[Item]:
        """The next items in order: at least one (if there is any), then as many as stay within ``limit`` bytes; a verb comes alone."""
        items = self._items
        taken: list[Item] = []
        size = cost = 0
        while items:
            item = items[0]
            if taken and (isinstance(item.body, Verb) or size + item.size > limit):
                break
            taken.append(items.popleft())
            size += item.size
            cost += item.cost
            self.packets -= item.packets
            if isinstance(item.body, Verb):
                break
        self.bytes -= size
        self._memory.charge(self, -cost)
        return taken

    def clear(self) -> list[Item]:
        """Take all packets out, for whoever clears to count and to tell; verbs stay."""
        dropped = [item for item in self._items if item.packets]
        self._items = deque(item for item in self._items if not item.packets)
        self.bytes = self.packets = 0
        self._memory.charge(self, -self.cost)
        return dropped

    def _fits(self, size: int, count: int) -> bool:
        return self.bytes + size <= self._bytes_limit and self.packets + count <= self._packets_limit

    def _append(self, item: Item, size: int) -> None:
        self._items.append(item)
        self.bytes += size
        self.packets += item.packets
        self._memory.charge(self, item.cost)

    def _dropped(self, item: Item) -> None:
        self.dropped_packets += item.packets
        self.dropped_bytes += item.size

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._items):
            if item.packets:
                del self._items[index]
                self.bytes -= item.size
                self.packets -= item.packets
                self._dropped(item)
                self._memory.charge(self, -item.cost)
                return
