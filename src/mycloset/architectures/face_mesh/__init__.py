"""Face mesh: 468 vertices of a face in a region."""
