"""The rules: one family a file, registered in :mod:`runreport.rules.registry`."""
