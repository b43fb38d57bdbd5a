"""Where and when a product could be had, and what was wanted while it could not."""
