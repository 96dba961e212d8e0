"""How often `runreport verify` finds a number that was made wrong, and how often it calls a right one wrong."""
