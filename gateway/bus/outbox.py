"""The bounded queue in front of one slow session, and the memory that all of them share.

Batches wait here, not bytes: what a parcel is for its peer is made once for all who want the same, and anew for a session that wants
something else. Pure: an outbox says what became of an item; its session acts upon it. An empty outbox always takes one item, however
large, so a limit below one read cannot stop a stream. A verb (something to do, in order with the data) costs nothing and is never dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from enum import Enum
from typing import Literal, NamedTuple, Protocol

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


OVERHEAD = 600
"""Bytes of memory that a parcel takes beside those of its packets: itself, its batch, its frames, and the heads of their bytes."""
PLACE = 16
"""Bytes of memory for the place of an item in one queue."""


class Said(Protocol):
    """A batch as a peer gets it."""

    @property
    def data(self) -> bytes: ...
    @property
    def packets(self) -> int: ...


class Parcel:
    """A batch on its way to peers that want the same bytes. It is shared by all queues that it waits in, and counted in memory once.

    ``encoded`` is what these peers get, in the form ``representation``; None until somebody asks.
    """

    __slots__ = ("batch", "cost", "encoded", "places", "representation", "told")

    cost: int
    """Bytes of memory that are charged for it while it has places; what it took when it got the first."""

    def __init__(self, batch: Batch, encoded: Said | None = None, representation: Hashable | None = None, told: bool = False) -> None:
        self.batch = batch
        self.encoded = encoded
        self.representation = representation
        self.told = told
        """Whether it has been told that this was accepted for writing."""
        self.places = 0

    @property
    def size(self) -> int:
        """Bytes that the peer will get, or about that: what ``outbox.bytes`` limits."""
        return len(self.batch.data if self.encoded is None else self.encoded.data)

    @property
    def packets(self) -> int:
        return self.batch.count if self.encoded is None else self.encoded.packets

    def measure(self) -> int:
        """Bytes of memory that it takes now, wherever it waits."""
        encoded = 0 if self.encoded is None or self.encoded.data is self.batch.data else len(self.encoded.data)
        return OVERHEAD + self.batch.frames.cost + encoded


Item = Parcel | Verb


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

    def enter(self, box: Outbox, parcel: Parcel) -> None:
        """A parcel waits in one outbox more; may make the fullest give up, ``box`` itself included."""
        if not parcel.places:
            parcel.batch.frames.join()
            parcel.cost = parcel.measure()
            self.used += parcel.cost
        parcel.places += 1
        self.used += PLACE
        self._resize(box, parcel.cost + PLACE)
        while self.used > self.limit and self._by_size:
            fullest = next(iter(self._by_size[max(self._by_size)]))
            fullest.give_up()
            if fullest.cost:
                fullest.clear()

    def leave(self, box: Outbox, parcel: Parcel) -> None:
        """A parcel waits in one outbox less."""
        parcel.places -= 1
        self.used -= PLACE if parcel.places else PLACE + parcel.cost
        self._resize(box, -parcel.cost - PLACE)

    def _resize(self, box: Outbox, by: int) -> None:
        before = box.cost.bit_length()
        box.cost += by
        after = box.cost.bit_length()
        if after != before:
            if before:
                boxes = self._by_size[before]
                del boxes[box]
                if not boxes:
                    del self._by_size[before]
            if after:
                self._by_size.setdefault(after, {})[box] = None


class Outbox:
    """Items in order, within ``options.bytes`` and ``options.packets``; ``when_full`` names who loses.

    What is taken is still charged, and can be restored, until it is settled. ``give_up`` is called when all outboxes together are over
    their limit and this is the fullest; afterwards it is empty. That may happen within ``offer``: ``dropped_packets`` counts what the
    policy dropped, and not what whoever gives up clears.
    """

    __slots__ = ("_items", "_memory", "_options", "_taken", "bytes", "cost", "dropped_packets", "give_up", "packets")

    def __init__(self, options: OutboxOptions, memory: Memory, give_up: Callable[[], None]) -> None:
        self._options = options
        self._memory = memory
        self._items: deque[Item] = deque()
        self._taken: list[Item] = []
        self.give_up = give_up
        self.bytes = 0
        self.packets = 0
        self.cost = 0
        self.dropped_packets = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(tuple(self._items))

    @property
    def relieved(self) -> bool:
        """Whether those who were paused may go on: at most half full."""
        return self.bytes * 2 <= self._options.bytes and self.packets * 2 <= self._options.packets

    @property
    def over(self) -> bool:
        """Whether more waits than there is room for, so that whoever publishes is to be paused."""
        limits = self._options
        return limits.when_full == "block" and (self.bytes > limits.bytes or self.packets > limits.packets)

    def offer(self, item: Item) -> Verdict:
        """Queue an item, or apply the policy."""
        if isinstance(item, Verb):
            self._items.append(item)
            return Verdict.KEPT
        if not self.packets or self._fits(item):
            self._append(item)
            return Verdict.BLOCK if self.over else Verdict.KEPT
        when_full = self._options.when_full
        if when_full == "block":
            self._append(item)
            return Verdict.BLOCK
        if when_full != "drop-oldest":
            self.dropped_packets += item.packets
            return Verdict.FULL if when_full == "disconnect" else Verdict.DROPPED
        while self.packets and not self._fits(item):
            self._drop_oldest()
        self._append(item)
        return Verdict.DROPPED

    def take(self, limit: int) -> list[Item]:
        """The next items in order: at least one (if there is any), then as many as stay within ``limit`` bytes; a verb comes alone."""
        items, size = self._items, 0
        while items:
            item = items[0]
            if isinstance(item, Verb):
                if not self._taken:
                    self._taken.append(items.popleft())
                break
            if self._taken and size + item.size > limit:
                break
            items.popleft()
            self._taken.append(item)
            size += item.size
            self._count(item, -1)
        return self._taken

    def settle(self) -> int:
        """What was taken is with the peer, or with its transport; how many packets that are."""
        taken, self._taken = [item for item in self._taken if isinstance(item, Parcel)], []
        for parcel in taken:
            self._memory.leave(self, parcel)
        return sum(parcel.packets for parcel in taken)

    def restore(self) -> None:
        """What was taken and not settled stands in front again."""
        taken, self._taken = self._taken, []
        self._items.extendleft(reversed(taken))
        for item in taken:
            if isinstance(item, Parcel):
                self._count(item, 1)

    def clear(self) -> list[Parcel]:
        """Take all packets out, for whoever clears to count and to tell; verbs stay."""
        self.restore()
        dropped = [item for item in self._items if isinstance(item, Parcel)]
        self._items = deque(item for item in self._items if isinstance(item, Verb))
        self.bytes = self.packets = 0
        for item in dropped:
            self._memory.leave(self, item)
        return dropped

    def forget_verbs(self) -> None:
        """Take all verbs out: they were for a session that is over."""
        self._items = deque(item for item in self._items if isinstance(item, Parcel))

    def _fits(self, item: Parcel) -> bool:
        return self.bytes + item.size <= self._options.bytes and self.packets + item.packets <= self._options.packets

    def _append(self, item: Parcel) -> None:
        self._items.append(item)
        self._count(item, 1)
        self._memory.enter(self, item)

    def _count(self, item: Parcel, sign: int) -> None:
        self.bytes += sign * item.size
        self.packets += sign * item.packets

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._items):
            if isinstance(item, Parcel):
                del self._items[index]
                self.dropped_packets += item.packets
                self._count(item, -1)
                self._memory.leave(self, item)
                return
