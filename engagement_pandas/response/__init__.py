"""Responses of the API: the counts in them, refusals, and the archives that store raw answers.

Only here it is decided whether an answer is complete and valid: ``envelope`` parses what is
around the counts, ``nested_counts`` the counts, and ``validation`` compares them with the request.
``archives`` has the files. No pandas, no network.

Imports ``request`` and the ground.
"""
