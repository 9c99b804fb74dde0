"""What annotations say about a field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.codecs.raw import Options as RawOptions
from gateway.config.fields import choices, either, nested, part_kind, takes_bytes, takes_text, written
from gateway.options import Duration, Escaped, FilePath, Integer, Options, Part, Rate, Size


class Inner(Options):
    size: Size = 1


class Sample(Options):
    count: Integer = Field(1, ge=1)
    rate: Rate | None = None
    files: tuple[FilePath, ...] = ()
    mode: Literal["a", "b"] | None = None
    codec: Annotated[Any, Part("codec")] = None
    inner: Inner = Inner()
    name: str = ""
    wait: Duration = 0.0
    odd: float = 0.0


def field(name: str) -> Any:
    return Sample.model_fields[name]


class Fields(SynchronousTestCase):
    def test_kinds(self) -> None:
        """A field names a part, has options below it, is an enumeration or is plain text, and never two of these."""
        self.assertEqual([name for name in Sample.model_fields if part_kind(field(name))], ["codec"])
        self.assertEqual([name for name in Sample.model_fields if nested(field(name))], ["inner"])
        self.assertEqual({name: choices(field(name)) for name in Sample.model_fields if choices(field(name))}, {"mode": ("a", "b")})
        self.assertEqual([name for name in Sample.model_fields if takes_text(field(name))], ["files", "name"])

    def test_bytes(self) -> None:
        """A field of bytes is recognized, also where None is allowed."""

        class Ends(Options):
            ending: Escaped | None = None
            name: str = ""

        self.assertEqual([takes_bytes(each) for each in Ends.model_fields.values()], [True, False])

    def test_nested_default(self) -> None:
        """Options below a field are those of its default, which may be of a narrower class."""

        class Narrow(Inner):
            more: Integer = 1

        class Device(Sample):
            inner: Inner = Narrow()

        self.assertIs(nested(Device.model_fields["inner"]), Narrow)

    def test_words(self) -> None:
        """Each field has words for what to write, also with None and in tuples."""
        self.assertEqual(written(field("rate")).words, "a rate: 10/s")
        self.assertEqual(written(field("files")).words, "a path, relative to this file")
        self.assertEqual(written(field("mode")).words, "a or b")
        self.assertEqual(written(field("codec")).words, either(registry.names("codec")))
        self.assertEqual(written(field("codec")).text(RawOptions()), "raw")
        self.assertEqual(written(field("wait")).text(90.0), "90s")
        self.assertEqual(written(field("name")).words, "text")

    def test_unknown_type(self) -> None:
        """A type without such words is refused: pydantic's own numbers would take 1_000."""
        self.assertRaises(TypeError, written, field("odd"))

    def test_either(self) -> None:
        """Words are listed as in a sentence."""
        self.assertEqual([either(["a"]), either(["a", "b"]), either(["a", "b", "c"])], ["a", "a or b", "a, b or c"])
