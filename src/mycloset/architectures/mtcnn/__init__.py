"""MTCNN: faces and five points by a cascade of three small networks."""
