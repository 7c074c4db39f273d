"""Dialects: whose names for a network's tensors mean what; one project a file, each with `weights`."""
