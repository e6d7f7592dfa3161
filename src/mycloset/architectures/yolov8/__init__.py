"""YOLOv8: boxes, poses, masks or classes in one pass."""
