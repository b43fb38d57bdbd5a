"""The pages that planners and store managers see: the answers of the API, drawn."""
