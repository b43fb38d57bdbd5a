"""The report: one self-contained page that says what the data are, how good the models are, and what they foresee."""
