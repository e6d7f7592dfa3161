"""ResNet, ResNeXt and Wide ResNet: classifiers, and what is left of them without their head."""
