"""From raw punches to working days: shifts, schedules, corrections, and the rules that join them.

Pure and without state: the same punches, corrections and rules always give the same days, in whatever
order they came in. Moments are whole seconds since 1970 in UTC, lengths are whole minutes. A length of
work is counted between the minutes that a clock on the wall shows: 08:00:40 to 17:00:10 is nine hours.
"""
