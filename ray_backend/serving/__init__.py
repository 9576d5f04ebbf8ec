"""Ray actors and the handles to them: the only place, with jobs, that imports ray."""
