"""SCHP: human parsing by a ResNet-101 with an edge branch, trained by self-correction."""
