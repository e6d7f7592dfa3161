"""SegFormer: clothes and other classes by a pyramid of transformers."""
