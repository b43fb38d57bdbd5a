"""The longer sections of a configuration."""
