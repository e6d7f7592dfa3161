"""RetinaFace: faces and five points in one pass."""
