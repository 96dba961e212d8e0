"""``python -m runreport``."""

from runreport.cli import main

main()
