"""Pictures in as torchvision publishes it for its classifiers, an Embedding with classes out."""

from mycloset.architectures.classification import processing

__all__ = ["processing"]
