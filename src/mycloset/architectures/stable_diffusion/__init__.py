"""Stable Diffusion 1.x, 2.x and XL: UNets, autoencoders, ControlNets, LoRAs and single files."""
