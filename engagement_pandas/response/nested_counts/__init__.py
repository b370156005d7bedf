"""The nested objects of a grouping, read as flat arrays of keys and counts.

``fast_reader`` reads nearly all, and ``checking_reader`` the rest, with an error that has the
path of what is not a count. ``levels`` finds what the keys mean, and ``expected_shape`` has the
keys that the request allows.
"""
