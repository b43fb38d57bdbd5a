"""What is not as it used to be: in what came in, and in what was forecast of it."""
