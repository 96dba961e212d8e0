"""Uncertainty of a regression run's numbers: intervals, resampling, comparison, multiplicity.

Nothing is imported here, so that a caller pays only for the submodule it names: `analytic`, `multiple`, `student` and
`trend` are plain Python, the others need numpy. None imports scipy: `import scipy.special` alone takes longer than the
rest of an analysis.
"""
