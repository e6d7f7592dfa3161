"""ViTPose: top-down poses as heatmaps by a plain vision transformer."""
