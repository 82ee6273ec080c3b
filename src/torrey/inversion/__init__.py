"""Inverse problems: parameters from signals, how well they are known, and what biases them."""
