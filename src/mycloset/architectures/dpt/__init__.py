"""DPT: depth from one picture by a vision transformer (Ranftl et al., 2021)."""
