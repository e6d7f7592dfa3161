"""Segment Anything: masks of what points and boxes mean (Kirillov et al., 2023)."""
