from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.topics import check_filter, check_topic, has_wildcard, matches


class MatchTests(SynchronousTestCase):
    def test_matches(self) -> None:
        """Filters match as in MQTT 5.0 (4.7), and one without a wildcard also matches all topics below it."""
        for filter, topic, heard in (
            ("gps", "gps", True),
            ("gps", "gps/fix", True),
            ("gps", "gps/a/b", True),
            ("gps", "gpsd", False),
            ("gps/fix", "gps", False),
            ("gps/#", "gps", True),
            ("gps/#", "gps/a/b", True),
            ("gps/#", "gp", False),
            ("#", "a/b/c", True),
            ("+", "a", True),
            ("+/b", "a/b", True),
            ("+/b", "a/c", False),
            ("a/+/c", "a/b/c", True),
            ("a/+/c", "a/b", False),
            ("a/+", "a", False),
            ("+/#", "a", True),
            ("GPS", "gps", False),
        ):
            self.assertIs(matches(filter, topic), heard, f"{filter} {topic}")

    def test_hidden_levels(self) -> None:
        """A level that begins with $ is matched only by a filter that spells it out."""
        for filter, topic, heard in (
            ("#", "$SYS", False),
            ("+", "$SYS", False),
            ("#", "scale/$sent", False),
            ("scale", "scale/$sent", False),
            ("scale/#", "scale/$sent", False),
            ("scale/+", "scale/$sent", False),
            ("scale", "scale/a/$sent", False),
            ("scale/#", "scale/a/$sent", False),
            ("scale/$sent", "scale/$sent", True),
            ("scale/$sent", "scale/$sent/a", True),
            ("scale/$sent/#", "scale/$sent/a", True),
            ("+/$sent", "scale/$sent", True),
            ("scale/$sent/#", "scale/$sent/$deeper", False),
        ):
            self.assertIs(matches(filter, topic), heard, f"{filter} {topic}")

    def test_has_wildcard(self) -> None:
        """A wildcard is a whole level that is + or #."""
        self.assertTrue(all(map(has_wildcard, ("#", "a/+", "+/b", "a/#"))))
        self.assertFalse(any(map(has_wildcard, ("a", "a/b", "$a"))))


class CheckTests(SynchronousTestCase):
    def test_good(self) -> None:
        """A valid topic or filter is returned as it is."""
        for text in ("a", "a/b", "ü/°", "a b", "$a"):
            self.assertEqual((check_topic(text), check_filter(text)), (text, text))
        for text in ("#", "+", "a/#", "+/+/#"):
            self.assertEqual(check_filter(text), text)

    def test_bad_topics(self) -> None:
        """A topic to publish under has no wildcards, no empty levels, no control characters, and at most 65535 bytes."""
        for text, message in (
            ("", "cannot be empty"),
            ("a//b", "empty level"),
            ("/a", "empty level"),
            ("a/", "empty level"),
            ("a/+", "wildcard"),
            ("a#", "wildcard"),
            ("a\nb", "control character"),
            ("a\x7f", "control character"),
            ("ü" * 32768, "65535 bytes"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                check_topic(text)

    def test_bad_filters(self) -> None:
        """In a filter a wildcard is a level alone, and # the last one."""
        for text, message in (
            ("a#", "must be the last level, alone"),
            ("#/a", "must be the last level, alone"),
            ("a/b+", "must be a level alone"),
            ("a//#", "empty level"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                check_filter(text)
