"""FaceNet: face embeddings by Inception-ResNet v1."""
