"""What can go wrong, in two kinds: try again later, or never.

Invariant: an error that leaves an adapter is one of these, its text one line that names the thing and the remedy.
Anything else that is raised is a bug, and is seen.
"""


class StorywireError(Exception):
    """The base of every expected failure; its text is shown to the user as it stands."""


class Transient(StorywireError):
    """The same call may succeed later: a server that is down, a lease that is held."""


class Permanent(StorywireError):
    """Trying again cannot help: bad input, a wrong setting."""


class ServerUnavailable(Transient):
    """The Redis server cannot be reached, is still loading, or is full."""


class ServerDiskFull(ServerUnavailable):
    """It answers, and takes no writes until a person frees space on its disk: nothing to wait for at a terminal."""


class ServerFull(ServerUnavailable):
    """It answers, and takes no writes until what has ended leaves it, or a person gives it more memory."""


class Unsecured(ServerUnavailable):
    """A write stands with a primary, or may, and a replica that could take over from it does not get it."""


class LeaseLost(Transient):
    """Another worker holds the language's lease, or took it: nothing of the commit was written."""


class NotArchived(Transient):
    """The archive cannot be written: no story ends until it can."""


class MachineFailed(Transient):
    """This machine lacks files, room or memory, or its disk fails: no article's fault; a fresh process may go on."""


class NotPermitted(Permanent):
    """The server does not let this user do what is asked."""


class BadSetting(Permanent):
    """A setting or an argument has a value that cannot be used."""


class BadInput(Permanent):
    """Something that came from outside (a feed, a file, a line of it) cannot be read."""


class NotThere(BadInput):
    """A name that nothing has. `said`: what is wrong; `what`: a `story`, an `article` or a `correction`. The text ends
    with the command that lists them; a page and the API name a place of their own."""

    def __init__(self, said: str, what: str) -> None:
        super().__init__(f"{said}: {_LISTED[what]}")
        self.said = said
        self.what = what


_LISTED = {
    "story": "`storywire report` lists the stories",
    "article": "`storywire report --members` lists the articles' ids",
    "correction": "`storywire story corrections` lists them",
}
