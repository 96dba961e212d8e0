"""Trains the regression experiments and leaves standard artifacts behind."""
