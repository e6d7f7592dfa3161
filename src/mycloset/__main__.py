"""`python -m mycloset` is the `mycloset` command."""

from mycloset.cli.start import run

if __name__ == "__main__":
    run()
