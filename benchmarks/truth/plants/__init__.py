"""The plants, a file a family: each changes one thing about how a run is trained or logged."""
