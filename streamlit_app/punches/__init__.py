"""The page that takes over punches of other terminals."""
