"""A golden's inputs and outputs by name, for MobileFaceNet."""

from adapt_arcface import outputs

__all__ = ["outputs"]
