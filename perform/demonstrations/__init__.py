"""Mapping by demonstration: you show postures with pictures, a model is fitted, formulas play it."""
