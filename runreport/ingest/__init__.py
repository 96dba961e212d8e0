"""Reading: from paths to runs. See :mod:`runreport.ingest.load`."""
