"""The one error a person can mend: a configuration or a command that cannot be carried out."""

from __future__ import annotations


class ConfigError(Exception):
    """What was asked for cannot be run. The message is one line; the command prints it and exits with 2."""
