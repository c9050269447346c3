"""What the Makefile's targets run; no part of the product."""
