"""DeepLabv3 as torchvision has it: pixels by class, on a dilated ResNet."""
