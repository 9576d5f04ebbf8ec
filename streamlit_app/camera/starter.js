// Says how the browser's camera is doing, and presses START of streamlit-webrtc, whose own way to start by
// itself is not reliable. It goes on looking: after an interruption START is there again. The library shows
// nobody the picture that it sends, so this hands it on, as `window.rollcallStream`.

const LOOK_EVERY_MS = 500;
const PRESS_AGAIN_MS = 5000;
const NUDGE_AFTER_MS = 400;

const starters = new WeakMap();

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let starter = starters.get(parentElement);
  if (!starter) {
    starter = new Starter();
    starters.set(parentElement, starter);
  }
  Object.assign(starter, { label: data.press, tell: (state) => setStateValue("camera", state) });
  if (data.nudge) setTimeout(() => setTriggerValue("nudged", true), NUDGE_AFTER_MS);
  return () => {
    starter.stop();
    starters.delete(parentElement);
  };
}

class Starter {
  constructor() {
    this.pressedAt = 0;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  async look() {
    // The WebSocket mode's page lets go of the camera, where it is still there.
    window.dispatchEvent(new Event("rollcall-camera-taken"));
    const state = await cameraState();
    if (this.stopped) return;
    if (state !== this.told) {
      this.told = state;
      this.tell(state);
    }
    if (this.label && (state === "ready" || state === "asking")) this.press();
  }

  press() {
    if (Date.now() - this.pressedAt < PRESS_AGAIN_MS) return;
    for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
      const page = frame.contentDocument;
      const buttons = [...(page?.querySelectorAll("button") ?? [])];
      const start = buttons.find((button) => button.textContent.trim() === this.label && !button.disabled);
      if (!start) continue;
      hideButtons(page);
      this.watch(frame.contentWindow.navigator.mediaDevices);
      this.pressedAt = Date.now();
      start.click();
    }
  }

  // A camera that is opened twice goes dark on some tablets, so the stream of the frame is shown here, too.
  watch(devices) {
    if (devices.watched) return;
    devices.watched = true;
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      show(stream);
      stream.getVideoTracks()[0].addEventListener("ended", () => show(null));
      return stream;
    };
  }

  stop() {
    this.stopped = true;
    clearInterval(this.timer);
    show(null);
  }
}

function show(stream) {
  window.rollcallStream = stream;
  window.dispatchEvent(new Event("rollcall-stream"));
}

// A kiosk has nothing to press there.
function hideButtons(page) {
  if (page.getElementById("rollcall")) return;
  const style = page.createElement("style");
  style.id = "rollcall";
  style.textContent = "button { display: none !important; }";
  page.head.append(style);
}

// insecure, streamless (no WebRTC), denied, asking (the browser waits for somebody to allow it), none, or
// ready.
async function cameraState() {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return "insecure";
  if (typeof RTCPeerConnection === "undefined") return "streamless";
  let permission = "";
  try {
    permission = (await navigator.permissions.query({ name: "camera" })).state;
  } catch {
    // Some browsers do not tell; asking for the camera will.
  }
  if (permission === "denied") return "denied";
  const devices = await navigator.mediaDevices.enumerateDevices();
  if (!devices.some((device) => device.kind === "videoinput")) return "none";
  return permission === "prompt" ? "asking" : "ready";
}
