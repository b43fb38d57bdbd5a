"""A retail chain whose truth is known: its files as a real chain keeps them, and beside them what made them.

No model may know this package: what it forecasts here is judged by what it was never told.
"""
