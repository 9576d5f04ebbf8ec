// The camera on the admin's pages: sends frames over its own WebSocket and shows what comes back. All words
// come from Python. Together with the files that `desk.py` puts before it, this is one plain ES module.

const FRAME_EVERY_MS = 120;
const TROUBLE_AGAIN_MS = 1000;
const LOOK_EVERY_MS = 40;
const WORDS_STAY_MS = 500; // so that a word can be read before the next one
const POINTERS = { turn_left: "left", turn_right: "right", chin_up: "up", chin_down: "down" };
const BACK = { left: "right", right: "left" };

const cameras = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let desk = cameras.get(parentElement);
  if (!desk) {
    desk = new DeskCamera(parentElement);
    cameras.set(parentElement, desk);
  }
  desk.update(data, setTriggerValue);
  return () => {
    desk.stop();
    cameras.delete(parentElement);
  };
}

class DeskCamera {
  constructor(root) {
    this.root = root;
    this.desk = root.querySelector(".desk");
    this.tones = new Tones();
    this.outline = new Outline(root.querySelector(".outline"));
    this.camera = new Camera(root.querySelector("video"), (problem) => this.showCamera(problem));
    this.link = new Link({
      answered: (answer) => this.answered(answer),
      replied: () => {},
      failed: () => {},
      changed: (state) => this.showLink(state),
      refused: () => this.refused(),
    });
    this.thumbnails = {};
    this.problem = "starting";
    this.sentAt = this.saidAt = 0;
    this.pause = FRAME_EVERY_MS;
    this.onVisible = () => document.visibilityState === "visible" && this.wake();
    document.addEventListener("visibilitychange", this.onVisible);
    this.wireButtons();
  }

  wireButtons() {
    const on = (place, work) => (this.root.querySelector(place).onclick = work);
    on(".skip", () => this.wish({ type: "skip" }));
    on(".restart", () => this.wish({ type: "restart" }));
    on(".retry", () => this.camera.open());
  }

  update(data, setTriggerValue) {
    this.trigger = setTriggerValue;
    Object.assign(this, { texts: data.texts, problems: data.problems, guided: data.guided });
    for (const name of ["skip", "restart", "retry"]) this.text(`.${name}`, data.texts[name]);
    if (data.token !== this.token) this.connect(data);
    if (this.timer) return;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.showCamera(this.problem);
    this.wake();
  }

  // Another permit is another enrolment.
  connect(data) {
    this.token = data.token;
    this.thumbnails = {};
    this.finished = this.barred = false;
    this.link.configure(data);
    if (this.link.socket) this.link.socket.close();
  }

  wake() {
    this.camera.ensure();
    this.link.ensure();
  }

  look() {
    const due = Date.now() - this.sentAt >= this.pause;
    if (due && document.visibilityState === "visible" && this.link.wantsFrame()) this.sendFrame();
  }

  async sendFrame() {
    if (this.grabbing) return;
    this.grabbing = true;
    try {
      const jpeg = await this.camera.grab();
      if (!jpeg) return;
      this.sentAt = Date.now();
      await this.link.send(jpeg);
    } finally {
      this.grabbing = false;
    }
  }

  wish(what) {
    if (this.link.isOpen) this.link.socket.send(JSON.stringify(what));
  }

  answered(answer) {
    const trouble = answer.state === "away" || answer.state === "unreadable";
    this.pause = trouble ? TROUBLE_AGAIN_MS : FRAME_EVERY_MS;
    if (this.problem !== null) return;
    if (trouble) return this.show("trouble", answer.headline, answer.hint);
    this.desk.dataset.look = answer.look ?? "";
    if (answer.state === "try") return this.show("try", answer.headline, answer.hint);
    Object.assign(this.thumbnails, answer.thumbnails);
    if (answer.captured) this.captured();
    this.paint(answer);
    if (answer.state === "finished" && !this.finished) {
      this.finished = true;
      this.trigger?.("finished", Date.now());
    }
  }

  captured() {
    this.tones.play("in");
    const flash = this.root.querySelector(".flash");
    flash.classList.remove("on");
    void flash.offsetWidth; // starts the animation anew
    flash.classList.add("on");
  }

  paint(answer) {
    const { state, target, fix, targets } = answer;
    this.desk.dataset.target = target ?? "";
    this.desk.dataset.arrow = (fix === "turn_back" ? BACK[target] : POINTERS[fix]) ?? "";
    this.outline.show(target, targets, answer.progress);
    this.paintTargets(targets);
    this.root.querySelector(".skip").hidden = !answer.may_skip;
    this.root.querySelector(".restart").hidden = !targets.some((one) => one.state === "taken");
    const look = state === "finished" ? "finished" : fix ? "adjust" : "hold";
    this.show(look, answer.headline, answer.hint, answer.captured);
  }

  paintTargets(targets) {
    const wanted = JSON.stringify([targets, this.thumbnails]);
    if (wanted === this.painted) return;
    this.painted = wanted;
    this.root.querySelector(".targets").replaceChildren(...targets.map((one) => this.tile(one)));
  }

  tile({ name, label, state }) {
    const tile = document.createElement("li");
    tile.dataset.state = state;
    tile.dataset.name = name;
    const face = tile.appendChild(element("span", "face", { taken: "", now: "●", skipped: "–" }[state] ?? "○"));
    face.ariaHidden = "true";
    if (state === "taken" && this.thumbnails[name]) {
      face.appendChild(Object.assign(new Image(), { src: this.thumbnails[name], alt: "" }));
    }
    tile.appendChild(element("span", "label", state === "taken" ? `✓ ${label}` : label));
    if (state === "skipped") tile.appendChild(element("small", "", this.texts.skipped));
    if (state === "taken" || state === "skipped") {
      const again = tile.appendChild(element("button", "retake", this.texts.retake));
      Object.assign(again, { type: "button", ariaLabel: `${this.texts.retake}: ${label}` });
      again.onclick = () => this.wish({ type: "retake", target: name });
    }
    return tile;
  }

  show(state, headline, hint, atOnce = false) {
    const changed = headline !== this.headline;
    if (changed && !atOnce && state === this.desk.dataset.state && Date.now() - this.saidAt < WORDS_STAY_MS) return;
    if (changed) this.saidAt = Date.now();
    this.headline = headline;
    this.desk.dataset.state = state;
    this.text(".headline", headline);
    this.text(".hint", hint);
    this.text(".said", [headline, hint].filter(Boolean).join(". "));
  }

  showCamera(problem) {
    this.problem = problem;
    if (!this.texts) return;
    this.root.querySelector(".retry").hidden = problem === null || problem === "starting";
    if (problem === "starting") return this.show("starting", this.texts.starting, this.texts.allow, true);
    if (problem === null) return this.show("starting", this.texts.connecting, "", true);
    const [headline, hint] = this.problems[problem] ?? this.problems.other;
    this.show("trouble", headline, hint, true);
  }

  showLink(state) {
    if (!this.texts || this.problem !== null || this.barred || this.finished) return;
    if (state === "offline") this.show("trouble", this.texts.offline, "", true);
  }

  refused() {
    this.barred = true;
    this.show("trouble", this.texts.refused, "", true);
    this.trigger?.("refused", Date.now());
  }

  stop() {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.tones.stop();
    this.camera.stop();
    this.link.stop();
  }

  // Screen readers speak whenever a text is set, so it is set only when it changed.
  text(selector, words) {
    const found = this.root.querySelector(selector);
    if (found.textContent !== words) found.textContent = words;
  }
}

function element(name, className, words) {
  return Object.assign(document.createElement(name), { className, textContent: words });
}
