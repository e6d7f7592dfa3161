"""SwinIR: restoration of pictures by windows of attention (Liang et al., 2021)."""
