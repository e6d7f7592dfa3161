"""Swin transformers, first and second version: classifiers with attention in windows."""
