"""CodeFormer: faces restored by words of a learned book (Zhou et al., 2022)."""
