"""SCHP: human parsing with edges (Self-Correction for Human Parsing, CE2P)."""
