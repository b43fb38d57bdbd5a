"""The search for the settings of networks: trials side by side, each a row that lasts."""
