"""Which epoch a run saved, which epochs other policies would have saved, and whether the difference can be told."""
