"""The reader of the INI file: what it takes, and what it refuses with which line."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.config.ini import LARGEST, MOST_ERRORS, read


def values(text: str) -> dict[str, str]:
    sections, errors = read(text.encode(), "gw.ini")
    assert not errors, errors
    return {entry.key: entry.value for section in sections for entry in section.entries.values()}


def mistakes(data: str | bytes) -> list[str]:
    return [str(error) for error in read(data if isinstance(data, bytes) else data.encode(), "gw.ini")[1]]


class Reading(SynchronousTestCase):
    def test_lines(self) -> None:
        """Sections and keys come in the file's order with their lines."""
        sections, errors = read(b"\n; top\n[b]\nx = 1\n\n[a]\ny=2\n  # note\nz   =   3 4", "gw.ini")
        self.assertEqual(errors, [])
        self.assertEqual([(section.name, section.line) for section in sections], [("b", 3), ("a", 6)])
        self.assertEqual([tuple(entry) for entry in sections[1].entries.values()], [("y", "2", 7), ("z", "3 4", 9)])

    def test_case(self) -> None:
        """Keys keep their letter case, and nothing is interpolated."""
        self.assertEqual(values("[a]\nX = 50%\nx = %(X)s"), {"X": "50%", "x": "%(X)s"})

    def test_section_names(self) -> None:
        """Blanks in a section's name count once, and a comment may follow it."""
        self.assertEqual([section.name for section in read(b"[ tls   site ] ; ours\n[gps]", "")[0]], ["tls site", "gps"])

    def test_comments(self) -> None:
        """An unescaped ; after a blank begins a comment; # does not, as it is a topic filter."""
        text = "[a]\n; x\n# y\nb = 1 ; note\nc = 1;2\nd = a/# ; all\ne =\t;note\nf = a \\; b\ng =;x"
        self.assertEqual(values(text), {"b": "1", "c": "1;2", "d": "a/#", "e": "", "f": "a ; b", "g": ";x"})

    def test_quotes(self) -> None:
        """Inside quotes ; is literal, the quotes stay, and a quote that is never closed quotes nothing."""
        text = "[a]\nb = \"x ; y\" ; note\nc = it's ; note\nd = 'x ; y' \" ; note"
        self.assertEqual(values(text), {"b": '"x ; y"', "c": "it's", "d": "'x ; y' \""})

    def test_backslashes(self) -> None:
        r"""``\;`` is ``;``, and every other backslash is left for whoever reads the value."""
        self.assertEqual(
            values("[a]\nb = \\;\nc = \\\\;\nd = \\r\\n\\x3b\ne = C:\\x"), {"b": ";", "c": "\\\\;", "d": "\\r\\n\\x3b", "e": "C:\\x"}
        )

    def test_continuation(self) -> None:
        """An indented line continues the value, joined by one blank; comments and empty lines between do not matter."""
        self.assertEqual(values("[a]\nb = x, ; one\n    ; between\n\n\ty,\n  z ; last\nc ="), {"b": "x, y, z", "c": ""})

    def test_line_ends(self) -> None:
        """Files from Windows read the same."""
        self.assertEqual(values("[a]\r\nb = 1\r\n  2\r\n"), {"b": "1 2"})

    def test_byte_order_mark(self) -> None:
        """A byte order mark, which some editors write, is skipped."""
        self.assertEqual(values("\ufeff[a]\nb = 1"), {"b": "1"})

    def test_other_line_breaks(self) -> None:
        """Only a line feed ends a line: other line breaks of Unicode do not shift the line numbers."""
        sections, _errors = read("[a]\nb = x\u2028y\u0085z\nc = 1".encode(), "")
        self.assertEqual(sections[0].entries["c"].line, 3)

    def test_many_comments(self) -> None:
        """A megabyte of quotes, semicolons, backslashes or continuation lines takes no quadratic time."""
        for filler in (' ;"', '"; ', "\\", "\\;", "\n x", "' ;\""):
            read(b"[a]\nb = " + filler.encode() * ((LARGEST - 20) // len(filler)), "")


class Refusing(SynchronousTestCase):
    def test_duplicates(self) -> None:
        """A section or key that is there twice is an error, which names both lines."""
        self.assertEqual(
            mistakes("[a]\nb = 1\nb = 2\n[c]\n[a]\nb = 3"),
            [
                "gw.ini:3: [a] b: given twice, first on line 2",
                "gw.ini:5: [a]: this section is already there, on line 1: join the two, or rename one",
            ],
        )

    def test_default(self) -> None:
        """[DEFAULT] would leak into every section, so it is refused; a section called default is like any other."""
        self.assertEqual(
            mistakes("[DEFAULT]\nx = 1"), ["gw.ini:1: [DEFAULT]: defaults are not supported: write the key into each section that needs it"]
        )
        self.assertEqual(mistakes("[default]"), [])

    def test_indented(self) -> None:
        """An indented key or section is refused, not swallowed into the value above it."""
        said = "is indented, so it would belong to the value above: begin a"
        self.assertEqual(
            mistakes("[a]\nport = 1\n  tls = yes\n\t[b]\n"),
            [f"gw.ini:3: [a]: 'tls = yes' {said} key in the first column", f"gw.ini:4: [a]: '[b]' {said} section in the first column"],
        )

    def test_continuing_nothing(self) -> None:
        """An indented line without a value above it is refused."""
        said = "is indented, but there is no value above that it could continue"
        self.assertEqual(mistakes(" x\n[a]\n y"), [f"gw.ini:1: 'x' {said}", f"gw.ini:3: [a]: 'y' {said}"])

    def test_colon(self) -> None:
        """A key with a colon is refused with what to write instead."""
        self.assertEqual(mistakes("[a]\nrate: 5"), ["gw.ini:2: [a]: 'rate: 5' is not understood: write rate = 5"])

    def test_junk(self) -> None:
        """What is neither section, key nor comment is refused, and the rest is still read."""
        self.assertEqual(
            mistakes("x = 1\n[a\n[]\nhello\n= 2\n[b] c\n"),
            [
                "gw.ini:1: x: a key before the first section: write [NAME] above it",
                "gw.ini:2: '[a' is not a section: write [NAME], alone on its line",
                "gw.ini:3: '[]' is not a section: write [NAME], alone on its line",
                "gw.ini:4: [?]: 'hello' is not understood: write KEY = VALUE, [SECTION] or ; COMMENT",
                "gw.ini:5: [?]: no key before the =: write KEY = VALUE",
                "gw.ini:6: '[b] c' is not a section: write [NAME], alone on its line",
            ],
        )

    def test_comments_behind_sections(self) -> None:
        """A section header with a # comment is refused, and its keys are still read."""
        sections, errors = read(b"[a] # the scale\nx = 1\n", "gw.ini")
        self.assertEqual([str(error) for error in errors], ["gw.ini:1: '[a] # the scale': a comment behind a section begins with ;"])
        self.assertEqual([(section.name, list(section.entries)) for section in sections], [("a", ["x"])])

    def test_not_text(self) -> None:
        """What is not UTF-8 text gives one error, with the line where there is one."""
        for data, said in (
            (b"[a]\nx = caf\xe9\n", "gw.ini:2: byte 0xe9 is not UTF-8: save the file as UTF-8"),
            (b"\xef\xbb\xbf[a]\nx = caf\xe9\n", "gw.ini:2: byte 0xe9 is not UTF-8: save the file as UTF-8"),
            ("[a]".encode("utf-16"), "gw.ini:1: this is UTF-16: save it as UTF-8"),
            (b"[a]\n\nx = \0\n\0", "gw.ini:3: holds a NUL byte: this is not a text file"),
            (b" " * (LARGEST + 1), "gw.ini: larger than 1 MiB: this is not a configuration"),
        ):
            self.assertEqual(mistakes(data), [said])

    def test_control_characters(self) -> None:
        """Control characters are refused, and escaped in the error, as a terminal would obey them."""
        self.assertEqual(
            mistakes("[a]\nx = \x1b[31m\ny = 1\rz = 2"),
            ["gw.ini:2: [a]: holds the control character '\\x1b'", "gw.ini:3: [a]: holds the control character '\\r'"],
        )

    def test_some_other_file(self) -> None:
        """Reading stops after a number of errors, so that memory and output are bounded."""
        found = mistakes("junk\n" * 100_000)
        self.assertEqual(len(found), MOST_ERRORS + 1)
        self.assertEqual(found[-1], f"gw.ini:{MOST_ERRORS}: too many errors: is this an INI file? The rest was not read")

    def test_long_lines(self) -> None:
        """An error shows only the beginning of a long line."""
        self.assertTrue(all(len(line) < 200 for line in mistakes("x" * 5000 + "\n" + "y" * 5000 + " = 1\n[" + "z" * 5000)))

    @given(st.text(alphabet="ab=;#[]\\\"' \t\n\r.:\x00é", max_size=80))
    @settings(derandomize=True, max_examples=300)
    def test_any_text(self, text: str) -> None:
        """Whatever stands in the file, reading it raises nothing, and each value has neither line ends nor blanks around it."""
        sections, _errors = read(text.encode(), "gw.ini")
        for section in sections:
            for entry in section.entries.values():
                self.assertEqual(entry.value, entry.value.strip(" \t"))
                self.assertNotIn("\n", entry.value)
