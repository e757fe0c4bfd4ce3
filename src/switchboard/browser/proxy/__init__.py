"""The transparent Voice Live proxy: any client, our credentials, frames as they came."""
