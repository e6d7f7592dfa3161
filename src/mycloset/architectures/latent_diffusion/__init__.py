"""Parts that latent-diffusion systems share: UNets, autoencoders, text towers and the like."""
