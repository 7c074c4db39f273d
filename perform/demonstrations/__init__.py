"""Mapping by demonstration: postures and pictures are shown, a model is fitted to them, formulas play it."""
