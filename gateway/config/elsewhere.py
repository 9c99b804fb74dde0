"""Where a key that its section does not know belongs: in another part, or in another kind of section."""

from __future__ import annotations

from collections.abc import Iterator

from .. import registry
from ..options import Options
from .fields import either, nested
from .plan import LinkOptions


def elsewhere(key: str) -> str:
    """``belongs to transport = websocket``, or "" if no part has such a key. Slow: it loads every part."""
    places = list(_places(key))
    return f"belongs to {either(places)}" if places else ""


def _places(key: str) -> Iterator[str]:
    from ..tls.options import TlsOptions
    from .config import GatewayOptions

    head, dot, tail = key.partition(".")
    if head in ("framing", "codec") and tail:
        yield from _parts(head, tail)
    elif _has(LinkOptions, key):
        yield "the section of a link"
    else:
        yield from _parts("transport", key)
        if _has(TlsOptions, key):
            yield "a [tls NAME] section"
        if _has(GatewayOptions, key):
            yield "the [gateway] section"
        if not dot:
            yield from (f"{part}, as {kind}.{key}" for kind in ("framing", "codec") for part in _parts(kind, key))


def _parts(kind: str, key: str) -> Iterator[str]:
    for name in registry.names(kind):
        try:
            found = _has(registry.load(kind, name).Options, key)
        except ImportError:  # a library of this part is not installed
            continue
        if found:
            yield f"{kind} = {name}"


def _has(options: type[Options], key: str) -> bool:
    head, dot, tail = key.partition(".")
    field = options.model_fields.get(head)
    below = nested(field) if field else None
    return field is not None and (not dot or (below is not None and tail in below.model_fields))
