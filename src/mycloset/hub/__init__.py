"""Models by name: the catalogue of published files, their download, and models ready to call."""
