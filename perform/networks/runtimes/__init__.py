"""Runtimes: what computes a family's network, each on its own kind of processor."""
