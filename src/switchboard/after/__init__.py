"""After the call: what it came to, found out beside the calls, and who is told."""
