"""Champ: animation of a person after rendered body guidance; reference, denoising and guidance nets."""
