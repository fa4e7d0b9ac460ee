"""The local newsroom: outlets of an invented country, their articles, their feeds, and the truth about all of it.

Invariant: the text is a pure function of the seed; only `server.py` opens a socket.
"""
