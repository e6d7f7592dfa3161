"""Champ: animation of a person after renderings of a moving body."""
