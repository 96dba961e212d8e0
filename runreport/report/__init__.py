"""Renderings of an analysis: one model, several outputs."""
