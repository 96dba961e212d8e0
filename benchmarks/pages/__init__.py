"""Sections of the pages of benchmarks, one file each: result in, Markdown out."""
