"""The local cloud: stand-ins for the Azure services, with a voice and a mind of their own."""
