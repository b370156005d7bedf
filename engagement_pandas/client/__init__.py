"""The client that sends a plan, its progress, the connection for notebooks, and the demo.

Only ``connection`` and ``demo`` create frames; the demo runs the sandbox.

Imports ``sources``, ``auth``, ``transport``, ``response``, ``frame``, ``request``, ``sandbox`` and
the ground.
"""
