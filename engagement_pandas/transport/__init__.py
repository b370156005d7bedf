"""Transport: sends one POST to the API, with retries, rate limiting and a scheduler.

It does not sign requests and does not parse counts.

Imports ``response`` and the ground.
"""
