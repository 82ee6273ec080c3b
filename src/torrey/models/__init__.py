"""Everything that has a signal and a growth rate: expansions, projections, tensors."""
