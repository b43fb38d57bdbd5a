"""What is made with networks once they are trained: plans and windows, forecasts, heads of single stores."""
