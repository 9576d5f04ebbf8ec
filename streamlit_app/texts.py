"""What the live camera says by itself, while no answer is there. The browser gets these as data."""

from __future__ import annotations

KIOSK = {
    "idle": "Step in front of the camera",
    "starting": "Starting the camera",
    "allow": "If the browser asks, allow the camera.",
    "connecting": "Connecting",
    "offline": "No connection",
    "camera": "No camera",
    "away": "Recognition away",
    "waiting": "The connection is interrupted",
    "waitingHint": "It comes back by itself. Please wait.",
    "slow": "One moment, please",
    "slowHint": "The recognition service does not answer. It comes back by itself.",
    "retry": "Try again",
    "photo": "Use a photo instead",
    "code": "Type your code",
    "codeKey": "Code",
    "notMe": "This is not me",
    "notName": "I am not {name}",
    "denied": "Please check in with your code",
    "typed": "{n} digits typed",
    "deleteDigit": "Delete the last digit",
    "sendCode": "OK",
    "closeCode": "Close",
    "checkingCode": "Checking",
    "codeLocked": "Too many wrong codes. Please wait a little, or go to the office.",
    "codeOffline": "The code could not be checked. Please try again in a moment.",
}

# By the camera's mode: what the corner says while all is well, and the call to somebody who comes.
KIOSK_BY_MODE = {
    "websocket": {"online": "Live camera, connected"},
    "webrtc": {"online": "Video stream, connected"},
    "photo": {"online": "Photo button", "idle": "Take a photo of your face"},
}

# Keys are the names of the errors of getUserMedia, and "InsecureContext" of our own.
CAMERA_PROBLEMS = {
    "NotAllowedError": (
        "The camera is not allowed",
        "Click the camera sign in the browser's address bar, allow the camera for this page, and try again.",
    ),
    "NotFoundError": ("No camera was found", "Plug in a camera. It starts by itself."),
    "NotReadableError": (
        "The camera is in use",
        "Another program holds the camera. Close it; the camera then starts by itself.",
    ),
    "InsecureContext": (
        "This address may not use the camera",
        "Browsers allow the camera only at https:// addresses and at http://localhost. "
        "Open this page with https, or on the computer that runs Rollcall. For a trial on a local network start "
        "Rollcall with ROLLCALL_HTTPS=self-signed ROLLCALL_ADDRESS=0.0.0.0 make run and open the address that "
        "it prints.",
    ),
    "other": ("The camera does not start", "Check its cable, then try again."),
}
