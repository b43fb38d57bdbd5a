"""Fitting models on the executors."""
