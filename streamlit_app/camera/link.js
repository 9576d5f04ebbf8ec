// The WebSocket to the server. One frame is under way at a time, typed codes besides it. What stays without
// an answer when the connection breaks goes out again under its old name, so that the server records it
// once and the person still gets an answer.

const ANSWER_TIMEOUT_MS = 10000;
const SEND_AGAIN_FOR_MS = 8000; // then a frame or a code without an answer is too old
const RECONNECT_MS = [300, 1000, 2000, 3000, 5000];
// A connection that stood will mostly come back; one that never did may be barred on the way, and then the
// page has to find another one while somebody waits.
const ASK_PAGE_EVERY_MS = { stood: 10000, never: 800 };

class Link {
  constructor({ answered, replied, failed, changed, refused, told }) {
    Object.assign(this, { answered, replied, failed, changed, refused, told });
    this.session = randomName();
    this.requests = new Map();
    this.seq = 0;
    this.failures = 0;
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
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => this.message(JSON.parse(event.data));
    socket.onclose = () => this.closed(socket);
    this.socket = socket;
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  opened() {
    this.failures = 0;
    this.stood = true;
    this.changed("online");
    for (const { text } of this.requests.values()) this.socket.send(text);
    if (!this.waiting) return;
    if (Date.now() - this.waiting.takenAt < SEND_AGAIN_FOR_MS) this.transmit();
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
    const every = this.stood ? ASK_PAGE_EVERY_MS.stood : ASK_PAGE_EVERY_MS.never;
    if (this.failures > 1 && Date.now() - this.askedPageAt > every) {
      this.askedPageAt = Date.now();
      this.refused();
    }
  }

  // How long the frame under way has been waiting for its answer.
  get waitingMs() {
    return this.waiting && this.isOpen ? Date.now() - this.waiting.sentAt : 0;
  }

  wantsFrame() {
    if (this.waitingMs > ANSWER_TIMEOUT_MS) {
      const socket = this.socket;
      socket.close();
      this.closed(socket);
    }
    return this.isOpen && !this.waiting;
  }

  async send(jpeg) {
    const frame = new Uint8Array(4 + jpeg.size);
    this.seq += 1;
    new DataView(frame.buffer).setUint32(0, this.seq);
    this.waiting = { seq: this.seq, frame, takenAt: Date.now(), sentAt: Date.now() };
    frame.set(new Uint8Array(await jpeg.arrayBuffer()), 4);
    if (this.isOpen) this.transmit();
  }

  transmit() {
    this.waiting.sentAt = Date.now();
    this.socket.send(this.waiting.frame);
  }

  // `name` says which answer belongs to it: a request_id or a punch_id.
  ask(name, request) {
    const text = JSON.stringify(request);
    const giveUp = setTimeout(() => this.requests.delete(name) && this.failed(request), SEND_AGAIN_FOR_MS);
    this.requests.set(name, { text, giveUp });
    if (this.isOpen) this.socket.send(text);
  }

  message(answer) {
    if (answer.type === "screen") {
      this.told(answer.screen);
    } else if (answer.type !== "frame") {
      const name = answer.type === "code" ? answer.request_id : answer.punch_id;
      const request = this.requests.get(name);
      clearTimeout(request?.giveUp);
      if (this.requests.delete(name)) this.replied(answer);
    } else if (this.waiting?.seq === answer.seq) {
      this.waiting = null;
      this.answered(answer);
    }
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.again);
    for (const { giveUp } of this.requests.values()) clearTimeout(giveUp);
    this.socket?.close();
  }
}

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
}
