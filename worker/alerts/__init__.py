"""Alerts: rules of one file, and what becomes of the stories that they are about.

    rules (what the file says) -> match (why a story is told of) -> evaluate (events -> alerts, once a story and rule)
    -> store -> deliver (webhooks, signed; Apprise in a process apart) with retries -> done, or the list of dead ones

Invariant: secrets are in the file and the environment alone: never in the store, a log, or what is shown.
"""
