"""Use cases: check in, enrol, people, reports, access."""
