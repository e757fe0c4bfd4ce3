"""Calls whose audio goes straight to the service: what remains of them here is words and orders."""
