"""What becomes of received rows: all of them, or those alone that a new delivery brings or touches."""
