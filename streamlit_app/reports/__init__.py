"""The reports of the page *Reports*, each in a file of its own, and what they share."""
