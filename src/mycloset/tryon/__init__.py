"""Virtual try-on: a photo of a person and of a garment in, that person wearing that garment out."""
