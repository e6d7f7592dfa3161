"""OOTDiffusion: virtual try-on with an SD 1.5 UNet that takes the person's latent beside the noise."""
