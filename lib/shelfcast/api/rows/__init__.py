"""The rows that the API answers with, a module a subject."""
