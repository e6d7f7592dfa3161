"""Vision transformers: plain ViT classifiers, and backbones such as DINO's."""
