"""Comparing runs. See :mod:`runreport.compare.engine`."""
