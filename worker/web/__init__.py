"""The web process: one application for all that others ask of us over HTTP.

    serve (the process) -> server (uvicorn) -> app (routes) behind access and guard (bounds; safety says who may)
    pages, api, out, stream, websub: what is asked for; live follows the store for them: board, changes, listeners

Invariant: whatever is asked, an answer is short, says nothing of the server, and never holds a secret.
"""
