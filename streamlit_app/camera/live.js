// The kiosk's live camera: opens the camera, sends frames over a WebSocket, draws the answers.
// All words come from Python, in `data.texts` and in the answers. Together with screen.js, which is put
// before it, this is one plain ES module.

const FRAME_EVERY_MS = 200;
const SLOW_FRAME_EVERY_MS = 1000; // while the recognition service is away
const FRAME_WIDTH = 640;
const JPEG_QUALITY = 0.85;
const ANSWER_TIMEOUT_MS = 10000;
const SEND_AGAIN_FOR_MS = 8000; // a frame without an answer is sent again this long, then it is too old
const RECONNECT_MS = [300, 1000, 2000, 3000, 5000];
const ASK_PAGE_EVERY_MS = 10000;
const CAMERA_AGAIN_MS = 3000;

const kiosks = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let kiosk = kiosks.get(parentElement);
  if (!kiosk) {
    kiosk = new Kiosk(parentElement);
    kiosks.set(parentElement, kiosk);
  }
  kiosk.update(data, setTriggerValue);
  return () => {
    kiosk.stop();
    kiosks.delete(parentElement);
  };
}

class Kiosk {
  constructor(root) {
    this.screen = new Screen(root);
    this.camera = new Camera(root.querySelector("video"), (problem) => this.cameraChanged(problem));
    this.link = new Link(
      (answer) => this.screen.receive(answer),
      (state) => this.screen.showLink(state),
      () => this.trigger?.("refused", Date.now()),
    );
    root.querySelector(".retry").onclick = () => this.camera.open();
    root.querySelector(".photo").onclick = () => this.trigger?.("photo", true);
    this.timers = [setInterval(() => this.sendFrame(), 50), setInterval(() => this.screen.tick(), 100)];
    this.onVisible = () => document.visibilityState === "visible" && this.wake();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  update(data, setTriggerValue) {
    this.trigger = setTriggerValue;
    this.screen.configure(data);
    this.link.configure(data);
    if (this.started) return;
    this.started = true;
    this.camera.open();
    this.wake();
  }

  wake() {
    this.camera.ensure();
    this.link.ensure();
    // Keeps a tablet's screen on; browsers without it manage their own.
    navigator.wakeLock?.request("screen").catch(() => {});
  }

  cameraChanged(problem) {
    this.screen.showCamera(problem);
  }

  async sendFrame() {
    if (this.grabbing || document.visibilityState !== "visible" || !this.link.wantsFrame()) return;
    this.grabbing = true;
    try {
      const jpeg = await this.camera.grab();
      if (jpeg) this.link.send(jpeg);
    } finally {
      this.grabbing = false;
    }
  }

  stop() {
    this.timers.forEach(clearInterval);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.camera.stop();
    this.link.stop();
  }
}

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
      stream.getVideoTracks()[0].onended = () => this.open();
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
      track.onended = null;
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

// One frame is under way at a time. What stays without an answer when the connection breaks goes out
// again under its old number, so that the server records it once and the person still gets an answer.
class Link {
  constructor(answered, changed, refused) {
    Object.assign(this, { answered, changed, refused });
    this.session = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
    this.seq = 0;
    this.failures = 0;
    this.frameDue = 0;
    this.askedPageAt = 0;
  }

  configure({ socket, token }) {
    const url = new URL(socket, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.search = new URLSearchParams({ token, session: this.session });
    this.url = url.href;
  }

  ensure() {
    if (this.socket || this.stopped) return;
    clearTimeout(this.again);
    this.changed(this.failures ? "offline" : "connecting");
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event) => this.message(JSON.parse(event.data));
    socket.onclose = () => this.closed(socket);
    this.socket = socket;
  }

  opened(socket) {
    this.failures = 0;
    this.frameDue = 0;
    this.changed("online");
    if (!this.waiting) return;
    if (Date.now() - this.waiting.takenAt < SEND_AGAIN_FOR_MS) this.transmit(socket);
    else this.waiting = null;
  }

  closed(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    if (this.stopped) return;
    this.changed("offline");
    const wait = RECONNECT_MS[Math.min(this.failures, RECONNECT_MS.length - 1)];
    this.failures += 1;
    this.again = setTimeout(() => this.ensure(), wait);
    // A browser does not say why a connection was refused. The page knows whether the token still counts.
    if (this.failures > 1 && Date.now() - this.askedPageAt > ASK_PAGE_EVERY_MS) {
      this.askedPageAt = Date.now();
      this.refused();
    }
  }

  wantsFrame() {
    const now = Date.now();
    if (this.waiting && this.socket && now - this.waiting.sentAt > ANSWER_TIMEOUT_MS) {
      const socket = this.socket;
      socket.close();
      this.closed(socket);
    }
    return this.socket?.readyState === WebSocket.OPEN && !this.waiting && now >= this.frameDue;
  }

  async send(jpeg) {
    const frame = new Uint8Array(4 + jpeg.size);
    this.seq += 1;
    new DataView(frame.buffer).setUint32(0, this.seq);
    this.waiting = { seq: this.seq, frame, takenAt: Date.now(), sentAt: Date.now() };
    frame.set(new Uint8Array(await jpeg.arrayBuffer()), 4);
    if (this.socket?.readyState === WebSocket.OPEN) this.transmit(this.socket);
  }

  transmit(socket) {
    this.waiting.sentAt = Date.now();
    socket.send(this.waiting.frame);
  }

  message(answer) {
    if (this.waiting?.seq !== answer.seq) return;
    const pause = answer.state === "away" ? SLOW_FRAME_EVERY_MS : FRAME_EVERY_MS;
    this.frameDue = this.waiting.takenAt + pause;
    this.waiting = null;
    this.answered(answer);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.again);
    this.socket?.close();
  }
}
