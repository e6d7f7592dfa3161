"""CNNGeometric and weakalign: affine and thin-plate-spline matching of two pictures."""
