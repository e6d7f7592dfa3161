"""MyCloset says what a model file really is, runs it safely, and dresses people with such models."""

from __future__ import annotations

__version__ = "0.1.0"
