"""SRVGGNetCompact: the small networks of Real-ESRGAN (Wang et al., 2021)."""
