"""One module a file format; each has `read(source) -> Checkpoint`."""
