"""Checks a written analysis against the logs that it is about: claim by claim, with the line that makes it."""
