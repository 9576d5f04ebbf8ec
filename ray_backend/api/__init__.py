"""The HTTP API: who may call what, requests into use cases, answers and errors into JSON. No Ray in it."""
