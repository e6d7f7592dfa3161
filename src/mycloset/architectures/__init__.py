"""Which network it is: one folder a family, with its layout and its processing."""
