"""Archives on disk: folders of collections, each with the raw answers to a request.

An ``archive`` has collections, a ``collection`` a plan and its answers, ``answer_files`` stores and
finds the answers, and a ``record`` is the file of one.
"""
