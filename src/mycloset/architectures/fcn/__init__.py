"""FCN: torchvision's plainest segmentation networks, a ResNet and two convolutions."""
