"""The eight steps of a try-on, one file each."""
