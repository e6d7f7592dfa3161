"""HR-VITON: the try-on condition generator and the image generator."""
