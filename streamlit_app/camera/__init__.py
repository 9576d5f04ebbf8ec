"""The kiosk's camera: live over a WebSocket, or one photo at a time."""
