"""EfficientNet, first and second version: classifiers of inverted residual blocks."""
