"""ArcFace: face embeddings by improved residual networks."""
