"""AlexNet: torchvision's classifier, and the features that LPIPS looks at."""
