"""MIDI as inputs and outputs both need it: names, ports, clock, profiles of controllers."""
