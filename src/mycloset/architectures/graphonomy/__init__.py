"""Graphonomy: human parsing by DeepLabv3+ on Xception, with graphs over the labels."""
