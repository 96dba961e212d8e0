"""Regression metrics, their exact error budget, and what a bare log still bounds.

- `runreport.metrics.expressions`: every metric of a (run, split, epoch), as polars expressions.
- `runreport.metrics.streaming`: the same table from a file larger than memory.
- `runreport.metrics.budget`: 1 - R² split into missing information, wrong spread and wrong mean.
- `runreport.metrics.bounds`: what R² and the variance ratio alone say about r and the bias.

The package itself imports nothing: `budget` and `bounds` are needed where loading polars would be the larger cost.
"""
