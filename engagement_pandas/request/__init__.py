"""What is asked: requests, checked where they are made, and the plan to send them.

Post IDs and files of them, windows, groupings, engagement types and owners; then the requests
that one is split into, and what they cost. No pandas, no network.

Imports the ground alone.
"""
