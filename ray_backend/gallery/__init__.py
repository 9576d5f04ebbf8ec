"""The face gallery: search over templates in memory."""
