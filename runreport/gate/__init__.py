"""A verdict on runs for other programs: an exit code, JUnit XML, SARIF, annotations, a comment. See docs/ci.md."""
