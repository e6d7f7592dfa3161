"""PyTorch: tensors mapped from files, networks built without cost, and how they run."""
