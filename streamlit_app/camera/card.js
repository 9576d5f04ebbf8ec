// The kiosk's screen where Streamlit's page asks for the answers: a video stream, or single photos. The page
// writes each answer into an element of class rc-answer, which costs less than running the component anew;
// requests go to the page as a trigger, and come back as `data.reply`.

const READ_EVERY_MS = 100;
const REPLY_WITHIN_MS = 8000;
const SILENT_AFTER_MS = 6000; // a page whose answers are beaten out is away then

const cards = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let card = cards.get(parentElement);
  if (!card) {
    card = new Card(parentElement);
    cards.set(parentElement, card);
  }
  card.update(data, setTriggerValue);
  return () => {
    card.stop();
    cards.delete(parentElement);
  };
}

class Card extends Front {
  constructor(root) {
    super(root);
    this.requests = new Map();
    this.video = root.querySelector("video");
    this.reading = setInterval(() => this.read(), READ_EVERY_MS);
    this.onStream = () => this.watch();
    window.addEventListener("rollcall-stream", this.onStream);
  }

  update(data, setTriggerValue) {
    this.configure(data, setTriggerValue);
    this.root.querySelector(".kiosk").dataset.layout = data.layout;
    this.beats = data.layout === "full";
    this.screen.showLink("online");
    this.watch();
    this.hear(data.reply);
    this.read();
  }

  // The picture that the video stream sends, so that people see themselves.
  watch() {
    const stream = window.rollcallStream ?? null;
    if (this.video.srcObject === stream) return;
    this.video.srcObject = stream;
    if (stream) this.video.play().catch(() => {});
  }

  read() {
    const { answer, camera, beat } = document.querySelector(".rc-answer")?.dataset ?? {};
    if (beat !== this.beat) Object.assign(this, { beat, beatAt: Date.now() });
    if (this.beats && beat) this.screen.showLink(Date.now() - this.beatAt > SILENT_AFTER_MS ? "offline" : "online");
    this.screen.showCamera(camera || null);
    if (!answer || answer === this.answer) return;
    this.answer = answer;
    this.answered(JSON.parse(answer));
  }

  ask(name, request) {
    const giveUp = setTimeout(() => this.requests.delete(name) && this.failed(request), REPLY_WITHIN_MS);
    this.requests.set(name, giveUp);
    this.trigger("asked", request);
  }

  hear(reply) {
    const name = reply && (reply.type === "code" ? reply.request_id : reply.punch_id);
    if (!name || !this.requests.has(name)) return;
    clearTimeout(this.requests.get(name));
    this.requests.delete(name);
    this.replied(reply);
  }

  retry() {
    location.reload();
  }

  stop() {
    super.stop();
    clearInterval(this.reading);
    for (const giveUp of this.requests.values()) clearTimeout(giveUp);
    window.removeEventListener("rollcall-stream", this.onStream);
    this.video.srcObject = null;
  }
}
