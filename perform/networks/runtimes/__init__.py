"""Runtimes: what computes a network. `torch` on any device, `openvino` on CPUs; `base` is common to both."""
