"""Importing many people at once: reading what somebody handed in, and storing it person by person."""
