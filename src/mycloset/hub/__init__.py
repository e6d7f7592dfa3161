"""Give me that model, now: the catalogue of published files, their download, and models ready to call."""
