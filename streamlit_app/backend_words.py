"""Words that the backend puts into its sentences ("The *consent text* is missing."), for the catalogues.

`i18n.message` finds them in a sentence and looks them up like any other text.
"""

from __future__ import annotations

from streamlit_app.i18n import N_

WORDS = (
    N_("name"),
    N_("employee id"),
    N_("first name"),
    N_("last name"),
    N_("department"),
    N_("e-mail"),
    N_("e-mail address"),
    N_("consent"),
    N_("photo"),
    N_("name of the site"),
    N_("consent text"),
    N_("similarity of a match"),
    N_("time between two punches"),
    N_("way that a kiosk shows names"),
    N_("check for pictures held up"),
    N_("way of that check"),
    N_("hours to keep strangers' faces"),
    N_("days to keep decisions"),
    N_("months after which people who were not seen go"),
    N_("fate of the punches of people who were not seen"),
    N_("language"),
    N_("the kiosk"),
    N_("the key"),
    N_("passwords"),
    N_("codes"),
    N_("requested"),
    N_("approved"),
    N_("refused"),
    N_("withdrawn"),
    N_("Photo"),
    N_("This photo"),
    N_("The photo"),
)
