"""Train, read the report, do what it advises, look whether that did what it should; see :mod:`training.improve.loop`."""
