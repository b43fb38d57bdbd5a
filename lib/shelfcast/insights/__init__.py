"""What a manager can act on: classes and segments, vendors, stores, products to delist, seasons, stock to move."""
