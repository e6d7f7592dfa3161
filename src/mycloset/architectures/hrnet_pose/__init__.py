"""HRNet: top-down poses as heatmaps from parallel branches of four resolutions."""
