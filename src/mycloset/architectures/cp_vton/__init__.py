"""CP-VTON and CP-VTON+: a geometric matching module and a try-on module."""
