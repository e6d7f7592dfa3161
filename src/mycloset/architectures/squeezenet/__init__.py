"""SqueezeNet: classifiers of fire modules, and the features that LPIPS looks at."""
