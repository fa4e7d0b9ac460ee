"""Texts of a closed bridge, a rewrite of one and a report of the day after; and of a volcano, which is neither."""

BRIDGE = (
    "The harbour bridge of Port Vell was closed to all traffic on Monday after engineers found long cracks in the "
    "third pillar. The mayor, Ana Ruiz, said that repairs would take at least six weeks and that ferries would run "
    "every ten minutes until then. Shopkeepers on the northern bank fear for their business before the holidays."
)
REWRITTEN = (
    "The harbour bridge of Port Vell was shut to all traffic on Monday after engineers found long cracks in the third "
    "pillar. Mayor Ana Ruiz said that repairs would take at least six weeks and that ferries would run every ten "
    "minutes until then. Traders on the northern bank are afraid for their trade before Christmas, a survey says."
)
REPORT = (
    "Ferries were packed in Port Vell on Tuesday, a day after cracks in a pillar closed the harbour bridge. Commuters "
    "queued for an hour at the northern bank. Opposition leader Marc Soler asked why inspections of it had been "
    "put off for two years, and called on mayor Ana Ruiz to publish the reports of the engineers."
)
VOLCANO = (
    "A volcano on the island of Hesta erupted at dawn, sending ash eight kilometres into the sky. Two villages were "
    "evacuated and flights to the airport at Nordvik were cancelled, the civil protection office said."
)
