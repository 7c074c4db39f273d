"""Runtimes of torch: `eager` on any device, `cuda` captured as one graph; `network` builds the module."""
