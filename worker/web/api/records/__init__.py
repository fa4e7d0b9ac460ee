"""What the API's answers are made of, as they are written and as the document describes them.

Invariant: a field that an answer has stands here with its meaning; times are RFC 3339, UTC.
"""
