"""LPIPS: how different two pictures look (Zhang et al., 2018)."""
