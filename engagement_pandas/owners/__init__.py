"""Owners who authorised the app: their logins and tokens, and the ledger of who was asked for."""
