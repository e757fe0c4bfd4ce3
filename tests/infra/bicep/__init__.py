"""A checker for Bicep, small enough to read: parse, look names up, expand, compare with Azure.

It knows the part of the language that `infra/` uses, and refuses the rest. The types are
Microsoft's own (`types.zip`, see `catalogue.py`). It is not the compiler: the workflow on GitHub
runs that one, too.

    .venv/bin/python -m tests.infra.bicep infra/main.bicep
"""
