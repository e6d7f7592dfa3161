"""Leffa: virtual try-on and pose transfer; autoencoder, reference and generative UNet in one file."""
