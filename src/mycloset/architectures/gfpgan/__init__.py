"""GFPGAN: faces restored by a StyleGAN2 that knows faces (Wang et al., 2021)."""
