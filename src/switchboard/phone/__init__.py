"""The telephone, through Azure Communication Services (ACS)."""
