"""How fast and how well it runs: measurements, alerts, metrics."""
