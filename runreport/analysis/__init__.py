"""From a run to everything a report can say about it. See :mod:`runreport.analysis.engine`."""
