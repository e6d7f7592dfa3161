"""CatVTON: virtual try-on by concatenation; its files hold self-attention weights only."""
