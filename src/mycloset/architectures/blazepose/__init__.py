"""BlazePose: a person detector, and a network for landmarks and silhouette in a region."""
