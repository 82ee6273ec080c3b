"""Around the library: who makes which file from what, and what a run and its jobs take care of."""
