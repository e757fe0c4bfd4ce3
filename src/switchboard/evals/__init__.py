"""`switchboard eval`: simulated callers hold whole conversations with an agent, and judges say how
well it did."""
