// The other way: a code typed on large keys, on a keyboard, or by a badge reader (digits, then Enter).
// The digits are never shown. The browser's own <dialog> keeps the focus inside.

const CLOSE_AFTER_MS = 15000;
const LONGEST_CODE = 20;

class Keypad {
  // `submit(digits)` sends a code; `receive` and `failed` tell what became of it.
  constructor(root, submit, opened) {
    this.dialog = root.querySelector(".keypad");
    this.submit = submit;
    this.opened = opened;
    this.digits = "";
    this.lockedUntil = 0;
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey, true);
    this.dialog.addEventListener("cancel", (event) => (event.preventDefault(), this.close()));
    // Keeps the focus where it is, so that Enter sends what was typed instead of pressing a key again.
    this.dialog.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  configure(texts) {
    this.texts = texts;
    this.find("h2").textContent = texts.code;
    this.find(".close").textContent = texts.closeCode;
    this.find(".close").onclick = () => this.close();
    if (!this.find(".keys").childElementCount) this.makeKeys();
    this.paint();
  }

  makeKeys() {
    const keys = [..."123456789", "delete", "0", "send"];
    this.find(".keys").append(...keys.map((key) => this.makeKey(key)));
  }

  makeKey(key) {
    const button = document.createElement("button");
    const digit = key.length === 1;
    button.type = "button";
    button.className = digit ? "digit" : key;
    button.textContent = digit ? key : { delete: "⌫", send: this.texts.sendCode }[key];
    if (key === "delete") button.setAttribute("aria-label", this.texts.deleteDigit);
    button.onclick = () => (digit ? this.add(key) : key === "delete" ? this.drop() : this.send());
    return button;
  }

  get isOpen() {
    return this.dialog.open;
  }

  get isEmpty() {
    return !this.digits && !this.sending;
  }

  open() {
    if (this.isOpen) return;
    this.forget();
    if (this.isLocked()) this.say(this.texts.codeLocked);
    this.dialog.showModal();
    this.dialog.focus();
    this.stayOpen();
    this.opened();
  }

  close() {
    this.forget();
    clearTimeout(this.closing);
    if (this.isOpen) this.dialog.close();
  }

  forget() {
    this.digits = "";
    this.sending = false;
    this.say("");
    this.paint();
  }

  stayOpen() {
    clearTimeout(this.closing);
    this.closing = setTimeout(() => this.close(), CLOSE_AFTER_MS);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.composedPath()[0]?.matches?.("input, textarea, select")) return;
    if (/^[0-9]$/.test(event.key)) {
      this.open();
      this.add(event.key);
    } else if (this.isOpen && event.key === "Backspace") {
      this.drop();
    } else if (this.isOpen && event.key === "Enter" && !event.composedPath()[0].matches?.("button")) {
      this.send();
    } else {
      return;
    }
    event.preventDefault();
  }

  add(digit) {
    if (this.sending || this.isLocked() || this.digits.length >= LONGEST_CODE) return;
    this.say("");
    this.digits += digit;
    this.stayOpen();
    this.paint();
  }

  drop() {
    if (this.sending) return;
    this.digits = this.digits.slice(0, -1);
    this.stayOpen();
    this.paint();
  }

  send() {
    if (!this.digits || this.sending || this.isLocked()) return;
    this.sending = true;
    this.stayOpen();
    this.submit(this.digits);
    this.digits = "";
    this.say(this.texts.checkingCode);
    this.paint();
  }

  // A refused code; an accepted one closes the keypad.
  receive({ headline, hint, wait_s }) {
    this.sending = false;
    this.stayOpen();
    if (wait_s) this.lockedUntil = Date.now() + wait_s * 1000;
    this.say(`${headline}. ${hint}`);
    this.paint();
  }

  failed() {
    this.receive({ headline: this.texts.offline, hint: this.texts.codeOffline });
  }

  isLocked() {
    return Date.now() < this.lockedUntil;
  }

  say(words) {
    this.find(".reply").textContent = words;
  }

  paint() {
    this.find(".dots").textContent = "●".repeat(this.digits.length) || " ";
    this.find(".typed").textContent = this.digits ? this.texts.typed.replace("{n}", this.digits.length) : "";
    const locked = this.sending || this.isLocked();
    for (const button of this.find(".keys").children) button.disabled = locked;
    clearTimeout(this.unlocking);
    if (this.isLocked()) this.unlocking = setTimeout(() => this.forget(), this.lockedUntil - Date.now() + 50);
  }

  find(selector) {
    return this.dialog.querySelector(selector);
  }

  stop() {
    clearTimeout(this.closing);
    clearTimeout(this.unlocking);
    document.removeEventListener("keydown", this.onKey, true);
  }
}
