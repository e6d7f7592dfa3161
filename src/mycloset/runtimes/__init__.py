"""How a network runs: sessions over the engines that can run a file."""
