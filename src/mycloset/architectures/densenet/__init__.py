"""DenseNet: classifiers in which every layer sees all before it."""
