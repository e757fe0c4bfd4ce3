"""Who may: principals, origins and hosts, tickets, rates."""
