// The kiosk's screen: what is shown for how long, where the face is, and what is said aloud.

const RESULT_MS = 2500;
const PROMPT_MS = 350; // a prompt stays at least this long, so that words do not flicker
const NOT_ME_MS = 10000;
const SAY_INTERRUPTED_AFTER_MS = 1500;
const GREETINGS = ["in", "out", "already"];
// These stay over the whole screen for as long as the person does: there is something left to do.
const REFUSALS = ["unknown", "ambiguous", "spoof", "locked"];
const PARTS = ["headline", "time", "direction", "hint", "note"];

class Screen {
  constructor(root, play) {
    this.root = root;
    this.play = play;
    this.kiosk = root.querySelector(".kiosk");
    this.answer = { state: "idle" }; // the newest
    this.held = this.answer; // what is shown until `until`, whatever comes
    this.until = 0;
    this.lastResult = "";
    this.denied = null;
    this.disputable = null;
    this.link = "connecting";
    this.linkSince = Date.now();
    this.camera = "starting";
  }

  configure({ texts, problems, site, zone, why, language }) {
    Object.assign(this, { texts, problems });
    this.text(".why", why);
    const labels = { ".retry": "retry", ".photo": "photo", ".code": "code", ".code-key span": "codeKey" };
    for (const [place, name] of Object.entries(labels)) this.text(place, texts[name]);
    this.text(".site", site);
    const at = { timeZone: zone };
    const words = language === "en" ? "en-GB" : language;
    document.documentElement.lang = language;
    this.clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", ...at });
    this.date = new Intl.DateTimeFormat(words, { weekday: "long", day: "numeric", month: "long", ...at });
    this.tick();
  }

  // `typing`: somebody uses the keypad, so a result waits until it is closed.
  receive(answer, typing = false) {
    const sameState = answer.state === this.held.state;
    this.answer = answer;
    if (answer.result && answer.result !== this.lastResult && !typing) this.showResult(answer);
    else if (Date.now() >= this.until) this.hold(answer, sameState ? 0 : PROMPT_MS);
    else if (sameState && !answer.result) this.held = answer;
    this.paint();
  }

  showResult(answer) {
    this.lastResult = answer.result;
    this.disputable = isGreeting(answer) && answer.name ? { ...answer, until: Date.now() + NOT_ME_MS } : null;
    this.hold(answer, RESULT_MS);
    this.play(isGreeting(answer) ? answer.state : "refused");
  }

  hold(answer, ms) {
    this.held = answer;
    this.until = Date.now() + ms;
  }

  // Whoever opens the keypad need not wait for the end of a result.
  interrupt() {
    this.until = 0;
    this.paint();
  }

  // The punch that "This is not me" is about, once. Empty when there is none to dispute. Its name is not
  // shown again while the person stays.
  takeDisputable() {
    const punch = this.disputable?.punch_id ?? "";
    this.disputable = null;
    this.denied = this.lastResult;
    this.interrupt();
    return punch;
  }

  tick() {
    const now = new Date();
    for (const place of [".clock", ".large-clock"]) this.text(place, this.clock.format(now));
    this.text(".date", this.date.format(now));
    this.paint();
  }

  showCamera(problem) {
    if (problem === this.camera) return;
    this.camera = problem;
    this.paint();
  }

  showLink(state) {
    if (state !== this.link) this.linkSince = Date.now();
    this.link = state;
    if (this.texts) this.paint();
  }

  // The server is there, but its answer is overdue.
  showSlow(slow) {
    if (slow === this.slow) return;
    this.slow = slow;
    this.paint();
  }

  paint() {
    const view = this.view();
    const { dataset, style } = this.kiosk;
    Object.assign(dataset, { state: view.state, look: view.look, move: view.move ?? "" });
    dataset.camera = this.camera === null ? "on" : "off";
    style.setProperty("--progress", view.progress ?? 0);
    for (const part of PARTS) this.text(`.${part}`, view[part] ?? "");
    this.text(".said", PARTS.map((part) => view[part]).filter(Boolean).join(". "));
    this.paintButtons(view);
    this.paintCorner();
    this.drawFace(view.look === "panel" ? this.answer.box : null);
    this.keepFaceInSight(view.look === "panel");
  }

  paintButtons(view) {
    const found = (place) => this.root.querySelector(place);
    found(".buttons").hidden = !view.buttons;
    found(".offer").hidden = !view.offer_code;
    const wrong = this.disputable && Date.now() < this.disputable.until ? this.disputable : null;
    found(".not-me").hidden = !wrong;
    // Once the result is gone, somebody else may stand here.
    if (wrong) this.text(".not-me", view.look === "full" ? this.texts.notMe : this.texts.notName.replace("{name}", wrong.name));
  }

  paintCorner() {
    const away = this.slow || this.answer.state === "away";
    const state = this.camera !== null ? "camera" : this.link !== "online" ? this.link : away ? "away" : "online";
    this.root.querySelector(".link").dataset.link = state;
    this.text(".link b", this.texts[state === "camera" && this.camera === "starting" ? "starting" : state]);
  }

  // A result on its way out first, then what stands in the way of the next one.
  view() {
    const held = Date.now() < this.until;
    if (held && this.held.result) return { ...this.held, look: "full" };
    const trouble = this.trouble();
    if (trouble) return trouble;
    const answer = held ? this.held : this.answer;
    if (answer.result && answer.result === this.denied) {
      return { state: "ambiguous", look: "full", headline: this.texts.denied, offer_code: true };
    }
    if (answer.state === "idle") return { state: "idle", look: "quiet", headline: this.texts.idle };
    if (answer.state === "trouble") return { ...answer, look: "full" };
    return { ...answer, look: REFUSALS.includes(answer.state) ? "full" : "panel" };
  }

  trouble() {
    const { texts } = this;
    if (this.camera === "starting") {
      return { state: "starting", look: "quiet", headline: texts.starting, hint: texts.allow };
    }
    if (this.camera !== null) {
      const [headline, hint] = this.problems[this.camera] ?? this.problems.other;
      return { state: "trouble", look: "full", headline, hint, buttons: true };
    }
    if (this.link !== "online" && Date.now() - this.linkSince > SAY_INTERRUPTED_AFTER_MS) {
      return { state: "trouble", look: "full", headline: texts.waiting, hint: texts.waitingHint };
    }
    if (this.slow || this.answer.state === "away") {
      return { state: "trouble", look: "full", headline: texts.slow, hint: texts.slowHint };
    }
    return null;
  }

  // The picture is mirrored and cut to fill the screen; the box has to follow.
  drawFace(box) {
    const face = this.root.querySelector(".face");
    const video = this.root.querySelector("video");
    face.hidden = !box || !video.videoWidth;
    if (face.hidden) return;
    const { clientWidth: width, clientHeight: height } = this.kiosk;
    const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
    const [fullWidth, fullHeight] = [video.videoWidth * scale, video.videoHeight * scale];
    const left = (width - fullWidth) / 2 + (1 - box[2]) * fullWidth;
    const top = (height - fullHeight) / 2 + box[1] * fullHeight;
    Object.assign(face.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${(box[2] - box[0]) * fullWidth}px`,
      height: `${(box[3] - box[1]) * fullHeight}px`,
    });
  }

  // The panel covers the lower part of the picture, so a face down there moves up.
  keepFaceInSight(covered) {
    const face = this.root.querySelector(".face");
    const panel = covered && !face.hidden ? this.root.querySelector(".panel").offsetHeight : 0;
    const middle = face.offsetTop + face.offsetHeight / 2;
    const up = Math.max(0, Math.min(panel, middle - (this.kiosk.clientHeight - panel) / 2));
    this.root.querySelector(".stage").style.transform = `translateY(${-up}px)`;
  }

  // Screen readers speak whenever a text is set, so it is set only when it changed.
  text(selector, words) {
    const element = this.root.querySelector(selector);
    if (element.textContent !== words) element.textContent = words;
  }
}

function isGreeting({ state }) {
  return GREETINGS.includes(state);
}
