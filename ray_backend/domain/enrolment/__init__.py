"""Guided enrolment: which photos a new person needs, and how somebody is led to them."""
