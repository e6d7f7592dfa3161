"""Networks that several try-on systems share: the matching module and the ALIAS generator."""
