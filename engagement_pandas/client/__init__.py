"""The client that sends a plan, its progress, the connection of a notebook, and the demo.

``connection``, ``demo`` and ``read_posts`` alone make frames; the demo runs the sandbox.

Imports ``auth``, ``transport``, ``response``, ``request``, ``sandbox`` and the ground.
"""
