"""Teaches the beat tracker: music made at random with known beats, and the network that learns from it."""
