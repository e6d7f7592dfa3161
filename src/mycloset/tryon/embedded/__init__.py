"""The embedded ways of the steps: rules and classical vision that need no learned try-on model."""
