"""Responses of the API, refusals, and the archive that stores raw answers.

Only here it is decided whether an answer is complete and valid. No pandas, no network.

Imports ``request`` and the ground.
"""
