"""From models to published forecasts: middle-out means that add up, and quantiles calibrated at each level."""
