"""VITON-HD: segmentation, geometric matching and the ALIAS generator."""
