"""MIDI learn: a parameter is chosen, a control is moved, and a formula in the preset's text says so."""
