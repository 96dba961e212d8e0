"""Entry point of ``python -m training``."""

import os
import sys

# Read by OpenMP when torch is imported. Waiting threads spin by default: beside other programs two of them then take many times
# as long as one, because the one that has work waits for its core. The sums, and so the numbers, are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from training.cli import main

if __name__ == "__main__":
    sys.exit(main())
