"""Logging from a training loop of your own: `RunLogger` writes what a report is made of.

Needs the standard library only; numpy, torch and the like are used where their arrays are handed over, pyarrow where the
predictions of every epoch are kept. Adapters: `runreport.logger.lightning`, `.keras`, `.transformers`.
"""

from runreport.logger.run_logger import RunLogger

__all__ = ["RunLogger"]
