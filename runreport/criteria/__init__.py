"""Success criteria: tiers of conditions, judged on a run. See :mod:`runreport.criteria.judge`."""
