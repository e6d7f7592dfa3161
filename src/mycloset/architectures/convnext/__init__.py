"""ConvNeXt, first and second version: classifiers of large depthwise convolutions."""
