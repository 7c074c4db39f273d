"""`perform`: trained image generators, played like a synthesizer."""

__version__ = "0.1.0"
