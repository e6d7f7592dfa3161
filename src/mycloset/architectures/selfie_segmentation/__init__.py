"""Selfie segmentation: people against their background, in one look at the whole picture."""
