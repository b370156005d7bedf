"""Responses of the API, refusals, and the archive that stores raw answers.

Only here it is decided whether an answer is complete and valid: ``envelope`` parses what is
around the counts, ``tree_reader`` and ``object_reader`` the counts, and ``validation`` compares
them with the request. No pandas, no network.

Imports ``request`` and the ground.
"""
