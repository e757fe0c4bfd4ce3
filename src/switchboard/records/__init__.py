"""What happened: the store, its schema, the recorder that fills it and the history read from it."""
