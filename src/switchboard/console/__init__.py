"""The operators' console: calls as they are, calls as they were, and a hand on those that live."""
