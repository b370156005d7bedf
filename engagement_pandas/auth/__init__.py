"""Authentication: credentials, logins, stored accounts and tokens, signing, and the ledger.

Imports ``transport``, ``response``, ``request`` and the ground.
"""
