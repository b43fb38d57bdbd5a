"""Forecasts and orders at hand: a REST API over an index of what is published. No Spark runs in its process."""
