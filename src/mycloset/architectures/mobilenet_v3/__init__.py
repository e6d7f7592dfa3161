"""MobileNet v3: classifiers of inverted residual blocks that weigh their channels."""
