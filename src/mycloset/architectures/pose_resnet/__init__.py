"""SimpleBaseline: top-down poses as heatmaps by a ResNet and transposed convolutions."""
