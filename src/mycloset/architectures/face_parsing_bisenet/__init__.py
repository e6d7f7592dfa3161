"""BiSeNet for faces: skin, brows, eyes, lips, hair and more on a ResNet-18."""
