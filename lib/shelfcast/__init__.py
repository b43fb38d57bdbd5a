"""Demand forecasts for every store and product, with their uncertainty, and the orders that follow from them."""

__version__ = "0.1.0"
