"""MobileSAM: Segment Anything with a small picture encoder, TinyViT (Zhang et al., 2023)."""
