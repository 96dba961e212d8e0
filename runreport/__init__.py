"""runreport: what happened in a regression training run, and what to try next."""
