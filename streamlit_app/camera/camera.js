// The camera: opens it, opens it again when it was lost, takes pictures, and tells whether anything moves.

const FRAME_WIDTH = 640;
const JPEG_QUALITY = 0.85;
const CAMERA_AGAIN_MS = 3000;
const MUTED_TOO_LONG_MS = 5000;

class Camera {
  constructor(video, changed) {
    this.video = video;
    this.changed = changed;
    this.canvas = document.createElement("canvas");
    this.onPlugged = () => this.ensure();
    navigator.mediaDevices?.addEventListener?.("devicechange", this.onPlugged);
  }

  async open() {
    if (this.opening || this.stopped) return;
    this.opening = true;
    clearTimeout(this.again);
    this.close();
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "InsecureContext");
      const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" };
      const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      if (this.stopped) return void stream.getTracks().forEach((track) => track.stop());
      const [track] = stream.getVideoTracks();
      track.onended = () => this.open();
      track.onmute = () => this.watchMuted(track);
      this.video.srcObject = stream;
      await this.video.play();
      this.changed(null);
    } catch (error) {
      this.failed(error.name);
    } finally {
      this.opening = false;
    }
  }

  failed(name) {
    this.close();
    this.changed(name);
    if (name === "InsecureContext") return;
    // After a refusal the browser would ask again and again, so wait until the permission changes.
    if (name === "NotAllowedError") return void this.watchPermission();
    this.again = setTimeout(() => this.open(), CAMERA_AGAIN_MS);
  }

  // A camera that hangs delivers nothing and does not end either.
  watchMuted(track) {
    clearTimeout(this.again);
    this.again = setTimeout(() => track.muted && this.open(), MUTED_TOO_LONG_MS);
  }

  async watchPermission() {
    if (this.permission || !navigator.permissions) return;
    try {
      this.permission = await navigator.permissions.query({ name: "camera" });
      this.permission.onchange = () => this.ensure();
    } catch {
      // Some browsers do not tell; the button is there.
    }
  }

  ensure() {
    const track = this.video.srcObject?.getVideoTracks()[0];
    if (!track || track.readyState === "ended") this.open();
    else if (this.video.paused) this.video.play().catch(() => this.open());
  }

  async grab() {
    const { videoWidth, videoHeight, readyState } = this.video;
    if (!videoWidth || readyState < 2) return null;
    const scale = Math.min(1, FRAME_WIDTH / videoWidth);
    this.canvas.width = Math.round(videoWidth * scale);
    this.canvas.height = Math.round(videoHeight * scale);
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  }

  close() {
    const stream = this.video.srcObject;
    stream?.getTracks().forEach((track) => {
      track.onended = track.onmute = null;
      track.stop();
    });
    this.video.srcObject = null;
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.again);
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.onPlugged);
    if (this.permission) this.permission.onchange = null;
    this.close();
  }
}

// Compares tiny grey pictures, so that an empty room need not be sent over and over.
const MOTION_WIDTH = 32;
const MOTION_HEIGHT = 24;
const MOTION_LEVELS = 14; // of 256: more than a camera's noise
const MOTION_CELLS = 4;

class Motion {
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
    Object.assign(this.canvas, { width: MOTION_WIDTH, height: MOTION_HEIGHT });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  look() {
    this.context.drawImage(this.video, 0, 0, MOTION_WIDTH, MOTION_HEIGHT);
    return this.context.getImageData(0, 0, MOTION_WIDTH, MOTION_HEIGHT).data;
  }

  // Call it for every picture that is sent.
  remember() {
    this.before = this.look();
  }

  // Whether the picture differs from the one that was sent last.
  seen() {
    if (!this.before) return true;
    const now = this.look();
    let cells = 0;
    for (let at = 0; at < now.length; at += 4) {
      const change = now[at] + now[at + 1] + now[at + 2] - this.before[at] - this.before[at + 1] - this.before[at + 2];
      if (Math.abs(change) > 3 * MOTION_LEVELS && ++cells >= MOTION_CELLS) return true;
    }
    return false;
  }
}
