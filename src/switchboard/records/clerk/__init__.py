"""A process that writes a busy server's records: what it takes to make them ready, and to write
them, is then not taken from the core on which the calls speak."""
