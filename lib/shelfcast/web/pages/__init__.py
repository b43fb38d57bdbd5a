"""A module a page: what it asks the API for, and which template shows it."""
