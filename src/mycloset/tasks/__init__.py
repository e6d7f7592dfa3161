"""What a result is: typed results of the networks, what they can draw, and their label tables."""
