"""AnimateDiff: motion modules that make a text-to-image UNet draw videos."""
