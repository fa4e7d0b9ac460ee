"""The web process: one application for all that others ask of us over HTTP; now health and the callbacks of hubs.

Invariant: whatever is asked, an answer is short, says nothing of the server, and never holds a secret.
"""
