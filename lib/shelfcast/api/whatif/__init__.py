"""What if: a series' forecast and order line under another price, promotion, history, stock or lead time."""
