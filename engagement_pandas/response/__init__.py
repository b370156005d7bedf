"""What the API answered: responses, refusals, and the archive that keeps raw answers.

Whether an answer is complete and valid is decided here, once. No pandas, no network.

Imports ``request`` and the ground.
"""
