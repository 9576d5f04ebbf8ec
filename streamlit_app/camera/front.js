// What the kiosk shows and hears in every camera mode: the screen, its tones, the keypad and the buttons.
// A mode says how a request is sent, `ask(name, request)`, and calls `answered` and `replied`.

class Front {
  constructor(root) {
    this.root = root;
    this.tones = new Tones();
    this.screen = new Screen(root, (tone) => this.tones.play(tone));
    this.keypad = new Keypad(root, (digits) => this.sendCode(digits), () => this.screen.interrupt());
    this.wireButtons();
    this.ticking = setInterval(() => this.screen.tick(), 100);
  }

  wireButtons() {
    const on = (selector, work) => (this.root.querySelector(selector).onclick = work);
    on(".retry", () => this.retry());
    on(".photo", () => this.trigger?.("photo", true));
    on(".code", () => this.keypad.open());
    on(".code-key", () => this.keypad.open());
    on(".not-me", () => this.notMe());
    // Browsers allow the full screen only after a touch; a mouse belongs to somebody at a desk.
    this.root.querySelector(".kiosk").onpointerup = ({ pointerType }) => {
      if (pointerType === "touch" && !document.fullscreenElement) {
        document.documentElement.requestFullscreen?.().catch(() => {});
      }
    };
  }

  configure(data, setTriggerValue) {
    this.trigger = setTriggerValue;
    this.keypad.configure(data.texts);
    this.screen.configure(data);
  }

  // What the camera's newest picture came to.
  answered(answer) {
    // A new greeting ends an empty keypad; whoever is typing goes on and is greeted afterwards.
    const isNew = answer.result && answer.result !== this.result;
    this.result = answer.result;
    if (isNew && isGreeting(answer) && this.keypad.isEmpty) this.keypad.close();
    this.screen.receive(answer, this.keypad.isOpen);
  }

  // What became of a typed code, or of "This is not me".
  replied(answer) {
    if (answer.type === "not_me") {
      this.keypad.open();
      this.keypad.say(`${answer.headline}. ${answer.hint}`);
    } else if (isGreeting(answer)) {
      this.keypad.close();
      this.screen.receive(answer);
    } else {
      this.keypad.receive(answer);
      this.tones.play("refused");
    }
  }

  failed(request) {
    if (request.type === "code") this.keypad.failed();
  }

  sendCode(digits) {
    const request_id = randomName();
    this.ask(request_id, { type: "code", digits, request_id });
  }

  notMe() {
    const punch_id = this.screen.takeDisputable();
    if (punch_id) this.ask(punch_id, { type: "not_me", punch_id });
    else this.keypad.open();
  }

  stop() {
    clearInterval(this.ticking);
    this.keypad.stop();
    this.tones.stop();
  }
}
