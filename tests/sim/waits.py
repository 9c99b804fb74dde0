"""What must hold of all that waits: outboxes, the memory that they share, gates, and who is paused."""

from __future__ import annotations

from typing import Any

from gateway.bus.outbox import PLACE, Parcel
from gateway.links.state import WRITES

from .scene import Scene
from .world import BrokenError

_LARGEST = 70_000
"""Bytes of one read, as packets."""


def look(scene: Scene) -> None:
    """Raises BrokenError."""
    links = scene.sim.links
    boxes = {}
    for link in links.values():
        held = getattr(getattr(link.how, "held", None), "_box", None)
        if held is not None:
            boxes[held] = link
        for session in link.sessions:
            if session.writer.outbox is not None:
                boxes[session.writer.outbox] = session
    for box, of in boxes.items():
        _look_at(box, of, scene)
    _memory(scene, boxes)
    if scene.sim.stopping is None:
        _gates(scene)


def _look_at(box: Any, of: Any, scene: Scene) -> None:
    parcels = [item for item in box if isinstance(item, Parcel)]
    if box.bytes != sum(parcel.size for parcel in parcels) or box.packets != sum(parcel.packets for parcel in parcels):
        raise BrokenError(f"{of!r}: {box.bytes} bytes and {box.packets} packets are said to wait, and {len(parcels)} parcels do")
    if box.cost != sum(parcel.cost + PLACE for parcel in parcels):
        raise BrokenError(f"{of!r}: {box.cost} bytes of memory are charged for {len(parcels)} parcels")
    limits = box._options
    over = box.bytes > limits.bytes or box.packets > limits.packets
    if limits.when_full != "block":
        if over and len(parcels) > 1:
            raise BrokenError(f"{of!r}: {box.bytes} bytes in {box.packets} packets wait, more than there is room for")
        return
    if box.bytes > limits.bytes + _LARGEST:
        raise BrokenError(f"{of!r}: {box.bytes} bytes wait although whoever publishes is paused")
    if over and len(parcels) > 1 and scene.sim.stopping is None and getattr(of, "state", None) in (None, *WRITES):
        gate = of.terms.gate
        if of not in gate._closed_by:
            raise BrokenError(f"{of!r}: {box.bytes} bytes wait, and whoever publishes is not paused")


def _memory(scene: Scene, boxes: dict[Any, Any]) -> None:
    """What all outboxes are charged for is what is in them."""
    memory = scene.sim.service.runtime.memory
    parcels = {id(item): item for box in boxes for item in box if isinstance(item, Parcel)}
    used = sum(parcel.cost + PLACE * parcel.places for parcel in parcels.values())
    places = sum(1 for box in boxes for item in box if isinstance(item, Parcel))
    if used != memory.used or places != sum(parcel.places for parcel in parcels.values()):
        raise BrokenError(f"the outboxes are charged {memory.used} bytes, and what is in them takes {used} at {places} places")


def _gates(scene: Scene) -> None:
    """A gate is closed by those who have no room and by nobody else; whoever waits there is paused, and nobody else is."""
    runtime = scene.sim.service.runtime
    bus = runtime.bus
    for gate in bus._gates.values():
        for token in gate._closed_by:
            box = token.writer.outbox if hasattr(token, "writer") else token.how.held._box
            if not box or (hasattr(token, "writer") and box.relieved):
                raise BrokenError(f"{token!r} has room, and keeps others waiting")
    for link in scene.sim.links.values():
        for session in link.sessions:
            if session.state not in WRITES:
                continue
            tokens = {gate for gate in bus._gates.values() if session in gate._publishers and gate._closed_by.keys() - {session}}
            paused_by = (session._paused_by or set()) - {link.how}
            if tokens != paused_by:
                raise BrokenError(f"{session!r} is paused {len(paused_by)} times, and {len(tokens)} gates before it are closed")
            if session not in _waiting_at(bus, session):
                raise BrokenError(f"{session!r} does not stand before the gates of those that hear it")


def _waiting_at(bus: Any, session: Any) -> list[Any]:
    hears = [gate for gate in bus._gates.values() if session.topic in gate._filters]
    return [session for gate in hears if session in gate._publishers] if hears else [session]
