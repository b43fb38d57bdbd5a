"""Relational databases over JDBC: who is asked how, in one transaction or by Spark's tasks side by side."""
