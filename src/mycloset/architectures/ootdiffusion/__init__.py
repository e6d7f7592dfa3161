"""OOTDiffusion: virtual try-on with an SD 1.5 UNet that also takes the person's latent."""
