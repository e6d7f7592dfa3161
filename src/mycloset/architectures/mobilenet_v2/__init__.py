"""MobileNet v2: classifiers of inverted residual blocks."""
