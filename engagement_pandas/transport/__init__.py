"""One POST to the API: sessions, retries, the rate limit, and the scheduler of requests.

It signs nothing and reads no counts.

Imports ``response`` and the ground.
"""
