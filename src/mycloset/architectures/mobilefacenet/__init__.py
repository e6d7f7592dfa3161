"""MobileFaceNet: face embeddings by a small network of separable convolutions."""
