"""Ground for files: atomic writes, locks, settings, and content from outside.

Each module imports the standard library, and at most another of this folder.
"""
