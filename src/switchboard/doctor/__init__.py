"""`switchboard doctor`: looks at everything a call will need, says how to mend it, changes nothing.

A part of the hall, like `__main__` and `app`: it may look into every room, and none looks into it.
`app` has its cheap checks made beside the calls (`watch`).
"""
