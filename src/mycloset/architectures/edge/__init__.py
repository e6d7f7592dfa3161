"""EDGE: dances to music by diffusion."""
