"""Data sets: Delta tables of counts and omissions over time, and the sync that fills them.

Imports ``flattening``, ``frame``, ``response``, ``request`` and the ground; for annotations
``client``.
"""
