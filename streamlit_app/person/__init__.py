"""The parts of a person's page; `views/person.py` puts them together."""
