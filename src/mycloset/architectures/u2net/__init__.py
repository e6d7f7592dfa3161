"""U²-Net: salient objects, people or clothes by nested U-shaped blocks."""
