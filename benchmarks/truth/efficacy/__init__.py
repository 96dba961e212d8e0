"""Whether following the first advice mends a run, beside what needs no report: ``python -m benchmarks.truth.efficacy``."""
