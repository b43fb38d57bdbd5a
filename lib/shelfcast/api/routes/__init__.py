"""What the API answers to, a module a subject."""
