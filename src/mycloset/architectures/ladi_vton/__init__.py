"""LaDI-VTON: the TPS warping network and its refinement."""
