"""The steps of the flow, one per job: read, transform, write."""
