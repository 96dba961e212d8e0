"""The ``runreport`` command. Heavy imports live inside the commands, so that ``--help`` stays quick."""

from __future__ import annotations

from runreport.cli.app import app, main

__all__ = ["app", "main"]
