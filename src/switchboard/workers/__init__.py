"""Several processes on one machine that serve one port."""
