"""One file a format; each defines ``READER``, and :mod:`runreport.ingest.registry` lists them."""
