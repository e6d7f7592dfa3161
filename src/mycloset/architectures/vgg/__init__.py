"""VGG: plain stacks of 3x3 convolutions, as classifiers and as perceptual features."""
