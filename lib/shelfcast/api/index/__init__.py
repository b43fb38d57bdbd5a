"""The index: what the API reads, made of the lake on each publication."""
