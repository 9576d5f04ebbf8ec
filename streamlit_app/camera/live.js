// The kiosk's live camera: puts screen, camera, link and keypad together and decides when a frame is sent.
// All words come from Python, in `data.texts` and in the answers. Together with the files that `live.py`
// puts before it, this is one plain ES module.

const PACE_MS = {
  served: 100, // somebody stands there and is asked for something
  moving: 200, // something moves, nobody is served
  still: 1000, // nothing moves; also finds out that the recognition service is away
  done: 300, // somebody has a result and has not left yet
  typing: 500, // keeps the server's picture of who stands there
  away: 1000,
};
const LOOK_EVERY_MS = 50;
const COMPARE_EVERY_MS = 100;
const SLOW_ANSWER_MS = 1000; // then the page says that the recognition service is away

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

class Kiosk extends Front {
  constructor(root) {
    super(root);
    const video = root.querySelector("video");
    this.camera = new Camera(video, (problem) => this.screen.showCamera(problem));
    this.motion = new Motion(video);
    this.link = new Link({
      answered: (answer) => this.answered(answer),
      replied: (answer) => this.replied(answer),
      failed: (request) => this.failed(request),
      changed: (state) => this.screen.showLink(state),
      refused: () => this.trigger?.("refused", Date.now()),
      told: (data) => this.configure(data, this.trigger),
    });
    this.pace = PACE_MS.served;
    this.sentAt = 0;
    this.looking = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.onVisible = () => document.visibilityState === "visible" && this.wake();
    document.addEventListener("visibilitychange", this.onVisible);
    // Streamlit may leave this page's own element in place while another mode runs: it would keep the
    // camera, and lie over what the other mode shows.
    this.onTaken = () => this.leave();
    window.addEventListener("rollcall-camera-taken", this.onTaken);
  }

  leave() {
    this.left = true;
    this.stop();
    this.root.querySelector(".kiosk")?.remove();
  }

  update(data, setTriggerValue) {
    if (this.left) return;
    this.configure(data, setTriggerValue);
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

  answered(answer) {
    this.pace = paceAfter(answer);
    super.answered(answer);
  }

  ask(name, request) {
    this.link.ask(name, request);
  }

  retry() {
    this.camera.open();
  }

  look() {
    this.screen.showSlow(this.link.waitingMs > SLOW_ANSWER_MS);
    if (document.visibilityState === "visible" && this.link.wantsFrame() && this.isDue()) this.sendFrame();
  }

  isDue() {
    const since = Date.now() - this.sentAt;
    const pace = this.keypad.isOpen ? Math.max(this.pace, PACE_MS.typing) : this.pace;
    if (since >= pace) return true;
    return this.pace === PACE_MS.still && since >= PACE_MS.moving && this.moves();
  }

  moves() {
    if (Date.now() - (this.comparedAt ?? 0) < COMPARE_EVERY_MS) return false;
    this.comparedAt = Date.now();
    return this.motion.seen();
  }

  async sendFrame() {
    if (this.grabbing) return;
    this.grabbing = true;
    try {
      this.motion.remember();
      const jpeg = await this.camera.grab();
      if (!jpeg) return;
      this.sentAt = Date.now();
      await this.link.send(jpeg);
    } finally {
      this.grabbing = false;
    }
  }

  stop() {
    super.stop();
    clearInterval(this.looking);
    document.removeEventListener("visibilitychange", this.onVisible);
    window.removeEventListener("rollcall-camera-taken", this.onTaken);
    this.camera.stop();
    this.link.stop();
  }
}

function paceAfter({ state, result }) {
  if (state === "away") return PACE_MS.away;
  if (state === "idle") return PACE_MS.still;
  if (state === "closer") return PACE_MS.moving; // perhaps somebody who sits there all day
  return result || state === "locked" ? PACE_MS.done : PACE_MS.served;
}
