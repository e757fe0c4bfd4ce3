"""Switchboard: a voice agent server for Azure."""
