"""Leffa: virtual try-on and pose transfer, with all of its networks in one file."""
