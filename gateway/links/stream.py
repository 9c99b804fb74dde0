"""Between a Twisted transport and a session: bytes come up, the end comes up, nothing else."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..config.plan import LinkPlan
from ..net.endings import event_of, how_ended
from ..registry import make_codec, make_framer
from ..wires import Wire
from ..wires._framed import Form, FramedWire
from .session import Session


@implementer(IHalfCloseableProtocol)
class StreamProtocol(Protocol):
    """Feeds one session from one byte stream."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def connectionMade(self) -> None:
        self.session.connected(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self.session.received(data)

    def readConnectionLost(self) -> None:
        self.session.input_ended()

    def writeConnectionLost(self) -> None:
        """Our own end is out: what is left is the peer's."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        ended = how_ended(reason)
        if event := event_of(reason):
            self.session.owner.report(event, ended.text, self.session, level="")
        self.session.lost(ended)


def stream_wires(plan: LinkPlan) -> Callable[[], Wire]:
    """What makes the wires of a link on byte streams: its framing and its codec, joined."""
    framing, options = plan.framing, plan.options
    if framing is None:
        raise TypeError(f"[{plan.name}] speaks in messages, which need no framing")
    form = Form(
        lambda: make_framer(framing),
        make_codec(options.codec),
        on_bad=options.on_bad,
        on_tail=getattr(options, "on_tail", "auto"),
        verbatim=plan.verbatim,
    )
    return lambda: FramedWire(form)
