// A short tone for each result. Where the browser forbids sound, there is none.

const TONES = {
  in: [660, 990], // rising
  out: [880, 587], // falling
  already: [740],
  refused: [220, 220], // low, twice
};
const TONE_S = 0.16;

class Tones {
  async play(name) {
    if (!TONES[name] || !window.AudioContext) return;
    try {
      this.context ??= new AudioContext();
      // Without a touch before, the browser may hold sound back; a late tone would be worse than none.
      if (this.context.state !== "running") await Promise.race([this.context.resume(), pause(200)]);
      if (this.context.state === "running") TONES[name].forEach((pitch, place) => this.tone(pitch, place));
    } catch {
      // No sound on this machine.
    }
  }

  tone(pitch, place) {
    const start = this.context.currentTime + place * TONE_S * 1.2;
    const sound = this.context.createOscillator();
    const loudness = this.context.createGain();
    sound.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.25, start + 0.02);
    loudness.gain.linearRampToValueAtTime(0, start + TONE_S);
    sound.connect(loudness).connect(this.context.destination);
    sound.start(start);
    sound.stop(start + TONE_S);
  }

  stop() {
    this.context?.close().catch(() => {});
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
