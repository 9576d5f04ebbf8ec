// The kiosk's screen: which answer is shown for how long, and where the face is.

const SAY_INTERRUPTED_AFTER_MS = 1500;
const FRESH_MS = 700;
const IDLE = { state: "idle", headline: "", confirm: 1, hold_ms: 0, rank: 0 };

class Screen {
  constructor(root) {
    this.root = root;
    this.kiosk = root.querySelector(".kiosk");
    this.shown = IDLE;
    this.until = 0;
    this.newest = { answer: IDLE, at: 0, times: 1 };
    this.link = "connecting";
    this.linkSince = Date.now();
    this.camera = "starting";
  }

  configure({ texts, problems, site, zone }) {
    Object.assign(this, { texts, problems });
    this.text(".site", site);
    this.text(".retry", texts.retry);
    this.text(".photo", texts.photo);
    this.clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
    this.showLink(this.link);
    this.tick();
  }

  receive(answer) {
    const same = sameAnswer(answer, this.newest.answer);
    this.newest = { answer, at: Date.now(), times: same ? this.newest.times + 1 : 1 };
    this.drawFace(answer.box);
    if (this.newest.times < answer.confirm) return;
    const over = Date.now() >= this.until;
    if (over || answer.rank > this.shown.rank || (answer.rank === 3 && !sameAnswer(answer, this.shown))) {
      this.show(answer);
    } else if (sameAnswer(answer, this.shown)) {
      this.until = Date.now() + answer.hold_ms;
    }
  }

  show(answer) {
    this.shown = answer;
    this.until = Date.now() + answer.hold_ms;
    this.paint();
  }

  // A result that ran out gives way to what the camera sees now, so that the screen does not blink.
  tick() {
    this.text(".clock", this.clock.format(new Date()));
    if (Date.now() < this.until) return;
    const { answer, at, times } = this.newest;
    const next = Date.now() - at < FRESH_MS && times >= answer.confirm ? answer : IDLE;
    if (sameAnswer(next, this.shown)) this.paint();
    else this.show(next);
  }

  showCamera(problem) {
    this.camera = problem;
    this.paint();
  }

  showLink(state) {
    if (state !== this.link) this.linkSince = Date.now();
    this.link = state;
    const corner = this.root.querySelector(".link");
    corner.dataset.link = state;
    this.text(".link b", this.texts?.[state] ?? "");
  }

  paint() {
    const view = this.view();
    this.kiosk.dataset.state = view.state;
    this.kiosk.dataset.camera = this.camera === null ? "on" : "off";
    for (const part of ["headline", "time", "direction", "hint"]) this.text(`.${part}`, view[part] ?? "");
    this.keepFaceInSight(view.rank > 0);
    this.root.querySelector(".buttons").hidden = view.state !== "trouble" || !view.buttons;
    if (view.state === "trouble" || view.state === "idle") this.drawFace(null);
  }

  // An answer on its way out first, then what stands in the way of the next one.
  view() {
    if (this.shown.rank > 0 && Date.now() < this.until) return this.shown;
    if (this.camera === "starting") {
      return { state: "starting", headline: this.texts.starting, hint: this.texts.allow };
    }
    if (this.camera !== null) {
      const [headline, hint] = this.problems[this.camera] ?? this.problems.other;
      return { state: "trouble", headline, hint, buttons: true };
    }
    if (this.link !== "online" && Date.now() - this.linkSince > SAY_INTERRUPTED_AFTER_MS) {
      return { state: "trouble", headline: this.texts.waiting, hint: this.texts.waitingHint };
    }
    if (this.shown.state === "away") return { ...this.shown, state: "trouble" };
    if (this.shown.state === "idle") return { state: "idle", headline: this.texts.idle };
    return this.shown;
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

  // A large answer covers the lower part of the picture, so a face down there moves up.
  keepFaceInSight(covered) {
    const face = this.root.querySelector(".face");
    const panel = covered && !face.hidden ? this.root.querySelector("main").offsetHeight : 0;
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

function sameAnswer(one, other) {
  return one.state === other.state && one.headline === other.headline && one.time === other.time;
}
