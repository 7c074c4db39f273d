"""MIDI learn: you choose a parameter and move a control; a formula in the preset then connects the two."""
