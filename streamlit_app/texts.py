"""What the live camera says by itself, while no answer is there. The browser gets these as data."""

from __future__ import annotations

from streamlit_app.i18n import N_, _

KIOSK = {
    "idle": N_("Step in front of the camera"),
    "starting": N_("Starting the camera"),
    "allow": N_("If the browser asks, allow the camera."),
    "connecting": N_("Connecting"),
    "offline": N_("No connection"),
    "camera": N_("No camera"),
    "away": N_("Recognition away"),
    "waiting": N_("The connection is interrupted"),
    "waitingHint": N_("It comes back by itself. Please wait."),
    "slow": N_("One moment, please"),
    "slowHint": N_("The recognition service does not answer. It comes back by itself."),
    "retry": N_("Try again"),
    "photo": N_("Use a photo instead"),
    "code": N_("Type your code"),
    "codeKey": N_("Code"),
    "notMe": N_("This is not me"),
    "notName": N_("I am not {name}"),
    "denied": N_("Please check in with your code"),
    "typed": N_("{n} digits typed"),
    "deleteDigit": N_("Delete the last digit"),
    "sendCode": N_("OK"),
    "closeCode": N_("Close"),
    "checkingCode": N_("Checking"),
    "codeLocked": N_("Too many wrong codes. Please wait a little, or go to the office."),
    "codeOffline": N_("The code could not be checked. Please try again in a moment."),
}

# By the camera's mode: what the corner says while all is well, and the call to somebody who comes.
KIOSK_BY_MODE = {
    "websocket": {"online": N_("Live camera, connected")},
    "webrtc": {"online": N_("Video stream, connected")},
    "photo": {"online": N_("Photo button"), "idle": N_("Take a photo of your face")},
}

# Keys are the names of the errors of getUserMedia, and "InsecureContext" of our own.
CAMERA_PROBLEMS = {
    "NotAllowedError": (
        N_("The camera is not allowed"),
        N_(
            "Click the camera sign in the browser's address bar, allow the camera for this page, and try "
            "again."
        ),
    ),
    "NotFoundError": (N_("No camera was found"), N_("Plug in a camera. It starts by itself.")),
    "NotReadableError": (
        N_("The camera is in use"),
        N_("Another program holds the camera. Close it; the camera then starts by itself."),
    ),
    "InsecureContext": (
        N_("This address may not use the camera"),
        N_(
            "Browsers allow the camera only at https:// addresses and at http://localhost. "
            "Open this page with https, or on the computer that runs Rollcall. For a trial on a local "
            "network start Rollcall with ROLLCALL_HTTPS=self-signed ROLLCALL_ADDRESS=0.0.0.0 make run and "
            "open the address that it prints."
        ),
    ),
    "other": (N_("The camera does not start"), N_("Check its cable, then try again.")),
}


def camera_problems() -> dict[str, list[str]]:
    """A headline and what to do for each trouble with a camera, as the browser gets them."""
    return {name: [_(text) for text in words] for name, words in CAMERA_PROBLEMS.items()}
