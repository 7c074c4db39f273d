"""Latent navigation: paths through the space of a generator, curves, directions, centres of truncation."""
