"""Sweeps: one file that names a grid of settings and seeds, trained as so many runs of their own."""
