"""Requests, validated when they are created, and the plan that sends them.

Post IDs and files of them, windows, groupings, engagement types and owners; then the API
requests that one request is split into, and their cost. No pandas, no network.

Imports the ground alone.
"""
