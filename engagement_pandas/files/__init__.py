"""Ground for files: atomic writes, locks, settings, and the content of files from outside.

The modules import only the standard library, and ``lock`` the modes in ``settings``.
"""
