"""The API's words, a table each: dimensions, endpoints, engagement types, reasons, and their facts.

A new fact is a new row of a table. Every room may import these tables; they import nothing.
Sources: X's documentation of the Engagement API ("key characteristics", "data formats",
"API reference") unless a line says otherwise.
"""
