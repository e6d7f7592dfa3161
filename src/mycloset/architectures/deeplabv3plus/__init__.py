"""DeepLabv3+: pixels by class, with a decoder that takes in early features."""
