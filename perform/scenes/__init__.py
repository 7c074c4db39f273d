"""Scenes: presets and setlists as checked values, and what plays of them: controls, addresses, cues."""
