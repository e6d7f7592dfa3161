"""The truth about model files: what each one holds, which network it is, whether it is whole."""
