"""The history of the schema, applied in order when the store opens."""
