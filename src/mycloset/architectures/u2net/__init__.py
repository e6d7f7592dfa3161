"""U2-Net: salient objects, people, portraits and garments from nested U-structures."""
