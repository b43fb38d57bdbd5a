"""From forecasts to orders: the formulae of inventory theory, simulated policies, and the tables of a plan."""
