"""A golden's inputs and outputs by name, for MobileSAM: those of Segment Anything."""

from adapt_sam import outputs

__all__ = ["outputs"]
