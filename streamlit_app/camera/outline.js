// The oval for the face with a drawn head that looks where the person is to look, arrows, and a ring with one
// part for each target, on its side. The preview is a mirror: the person's own left is on the left of the screen.

const SVG = "http://www.w3.org/2000/svg";
const OVAL = { x: 200, y: 150, rx: 84, ry: 112 };
const LOOKS = { front: [0, 0], left: [-62, 0], right: [62, 0], up: [0, -66] }; // how far nose and eyes move
const ARROWS = {
  left: "M88 150 H28 M52 122 L24 150 L52 178",
  right: "M312 150 H372 M348 122 L376 150 L348 178",
  up: "M200 62 V20 M176 42 L200 16 L224 42",
  down: "M200 238 V280 M176 258 L200 284 L224 258",
};
const ARCS = { up: [-131, -49], right: [-41, 41], front: [49, 131], left: [139, 221] }; // degrees, clockwise

class Outline {
  constructor(svg) {
    const { x, y, rx, ry } = OVAL;
    const ring = `M${x} ${y - ry} A${rx} ${ry} 0 1 1 ${x - 0.01} ${y - ry} Z`;
    const arc = (ends) => {
      const [from, to] = ends.map((degrees) => (degrees * Math.PI) / 180);
      const point = (angle) => `${x + rx * Math.cos(angle)} ${y + ry * Math.sin(angle)}`;
      return `M${point(from)} A${rx} ${ry} 0 0 1 ${point(to)}`;
    };
    const make = (name, attributes, into = svg) => {
      const element = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      return into.appendChild(element);
    };
    svg.replaceChildren();
    make("path", { class: "shade", "fill-rule": "evenodd", d: `M-400 -300 H800 V600 H-400 Z ${ring}` });
    make("path", { class: "oval", d: ring });
    this.segments = {};
    for (const [target, ends] of Object.entries(ARCS)) {
      const parts = ["track", "filled"];
      this.segments[target] = parts.map((kind) => make("path", { class: `segment ${kind}`, d: arc(ends), pathLength: 100 }));
    }
    const head = make("g", { class: "head" });
    this.nose = make("path", {}, head);
    this.eyes = make("path", {}, head);
    for (const [way, d] of Object.entries(ARROWS)) make("path", { class: `arrow ${way}`, d });
  }

  // `targets` as in the server's answer; `progress` of the present one.
  show(target, targets, progress) {
    const [nose, eyes] = LOOKS[target] ?? LOOKS.front;
    const { x, y, rx, ry } = OVAL;
    this.nose.setAttribute("d", `M${x} ${y - ry + 12} Q${x + 2 * nose} ${y} ${x} ${y + ry - 12}`);
    this.eyes.setAttribute("d", `M${x - rx + 10} ${y - 14} Q${x} ${y - 14 + 2 * eyes} ${x + rx - 10} ${y - 14}`);
    for (const { name, state } of targets) {
      const done = { taken: 1, now: progress }[state] ?? 0;
      const [track, filled] = this.segments[name];
      track.dataset.state = state;
      filled.setAttribute("stroke-dasharray", `${100 * done} 200`);
      filled.style.visibility = done > 0 ? "visible" : "hidden";
    }
  }
}
