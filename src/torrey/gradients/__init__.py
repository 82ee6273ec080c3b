"""What is measured: g(t), b-tensors, acquisitions and sweeps."""
