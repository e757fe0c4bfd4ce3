"""A store of its own for each test, on each database."""

from tests.stores import cluster, database_url, shared_url, store

__all__ = ["cluster", "database_url", "shared_url", "store"]
