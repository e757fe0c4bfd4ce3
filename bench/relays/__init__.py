"""Relays as others would write them, to measure the product beside: no conversation, no records."""
