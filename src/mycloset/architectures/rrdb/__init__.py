"""ESRGAN and Real-ESRGAN: super-resolution by residual dense blocks (Wang et al., 2018, 2021)."""
