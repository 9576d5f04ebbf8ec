"""The kiosk as pure rules: who stands there, what to ask of them, and who they are by several frames."""
