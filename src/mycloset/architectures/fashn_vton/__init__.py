"""FASHN VTON 1.5: virtual try-on in pixel space with a multimodal diffusion transformer."""
