"""CLIP: pictures and texts as points of one space (Radford et al., 2021)."""
