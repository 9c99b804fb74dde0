"""Packets that end with a byte string that the user chooses, or with one of several."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from ..options import Escaped, Written, YesNo, parse_escaped, write_escaped
from ._delimited import Delimited, DelimitedOptions
from ._embedded import check_escapable

SELF_DELIMITING = True
OF_TEXT = True


def _parse_alternatives(value: object) -> object:
    if isinstance(value, str):
        value = tuple(parse_escaped(part.strip()) for part in value.split(","))
    elif isinstance(value, bytes):
        value = (value,)
    if isinstance(value, tuple) and b"" in value:
        raise ValueError(
            '"delimiter" is required' if len(value) == 1 else r"an alternative is empty (a comma as delimiter is written \x2c)"
        )
    return value


def _write_alternatives(alternatives: tuple[bytes, ...]) -> str:
    return ", ".join(map(write_escaped, alternatives))


Alternatives = Annotated[
    tuple[Annotated[bytes, Field(max_length=64)], ...],
    BeforeValidator(_parse_alternatives),
    Written(r"bytes, or alternatives separated by commas: \r\n, \0", _write_alternatives),
]


class Options(DelimitedOptions):
    """A packet ends with the delimiter. Where several alternatives match at a place, the longest counts.

    Where one alternative begins another (``\\r, \\r\\n``), a packet with the shorter one at its end is complete when the next byte comes.
    """

    delimiter: Alternatives = Field(
        min_length=1, description=r"the end of a packet: bytes such as \r, \0 or END; several are separated by commas, and a comma is \x2c"
    )
    keep: YesNo = Field(False, description="whether the delimiter belongs to the payload")
    skip_empty: YesNo = Field(False, description="whether delimiters in a row count as one, so that there are no empty packets")
    ending: Escaped | None = Field(
        None, min_length=1, description="what is written at the end of each packet (default: the first delimiter)"
    )

    @model_validator(mode="after")
    def _check_escapes(self) -> Self:
        if self.embedded == "escape":
            check_escapable([*self.delimiter, self.ending or b""])
        return self


def _overlaps_itself(delimiter: bytes) -> bool:
    return any(delimiter[:size] == delimiter[-size:] for size in range(1, len(delimiter)))


class Framer(Delimited):
    def __init__(self, options: Options) -> None:
        first = options.delimiter[0]
        plain = len(options.delimiter) == 1 and not (options.keep or options.skip_empty or _overlaps_itself(first))
        super().__init__(
            options,
            options.delimiter,
            options.ending or first,
            "the next delimiter",
            keep=options.keep,
            skip_empty=options.skip_empty,
            cut=first if plain else b"",
        )
