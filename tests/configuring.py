"""Loading a configuration from text, for the tests."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from gateway.config.config import Config, ConfigErrors
from gateway.config.load import load


class ConfigCase(SynchronousTestCase):
    """Configurations are written as ``gw.ini`` into a directory of their own, and named so in errors."""

    def setUp(self) -> None:
        self.directory = os.path.abspath(self.mktemp())
        os.mkdir(self.directory)

    def path(self, text: str) -> str:
        path = os.path.join(self.directory, "gw.ini")
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def config(self, text: str) -> Config:
        """The configuration, which must be sound."""
        return load(self.path(text))

    def mistakes(self, text: str) -> list[str]:
        """The lines that the operator sees."""
        path = self.path(text)
        error = self.assertRaises(ConfigErrors, load, path)
        self.assertEqual(str(error).splitlines(), [str(each) for each in error.errors])
        return [line.replace(path, "gw.ini") for line in str(error).splitlines()]

    def warnings(self, text: str) -> list[str]:
        """What is said of a sound configuration."""
        config = self.config(text)
        return [line.replace(config.file, "gw.ini") for line in (*config.warnings, *config.notes)]
