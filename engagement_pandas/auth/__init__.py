"""Who signs a request: credentials, logins, accounts with their tokens, and the ledger.

Imports ``transport``, ``response``, ``request`` and the ground.
"""
