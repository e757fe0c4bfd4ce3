"""The rules of a call, as a value. No I/O, no clock, no logging: events in, commands out."""
