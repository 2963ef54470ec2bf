/** A network of slowly drifting nodes; it stands still for users who prefer reduced motion, and stops while hidden. */
const REACH = 150;
const SPEED = 0.12;

const canvas = document.getElementById("background");
const context = canvas.getContext("2d");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let nodes = [];
let frame = 0;

function resize() {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  canvas.width = innerWidth * ratio;
  canvas.height = innerHeight * ratio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const count = Math.min(70, Math.round((innerWidth * innerHeight) / 20_000));
  nodes = Array.from({ length: count }, () => ({
    x: Math.random() * innerWidth,
    y: Math.random() * innerHeight,
    dx: (Math.random() - 0.5) * SPEED * 2,
    dy: (Math.random() - 0.5) * SPEED * 2,
  }));
  draw();
}

function draw() {
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  context.clearRect(0, 0, innerWidth, innerHeight);
  context.strokeStyle = context.fillStyle = colour;
  nodes.forEach((a, index) => {
    for (const b of nodes.slice(index + 1)) {
      const distance = Math.hypot(a.x - b.x, a.y - b.y);
      if (distance < REACH) {
        context.globalAlpha = 0.22 * (1 - distance / REACH);
        context.beginPath();
        context.moveTo(a.x, a.y);
        context.lineTo(b.x, b.y);
        context.stroke();
      }
    }
    context.globalAlpha = 0.4;
    context.beginPath();
    context.arc(a.x, a.y, 1.6, 0, 7);
    context.fill();
  });
}

function step() {
  for (const node of nodes) {
    node.x = (node.x + node.dx + innerWidth) % innerWidth;
    node.y = (node.y + node.dy + innerHeight) % innerHeight;
  }
  draw();
  frame = requestAnimationFrame(step);
}

function run() {
  cancelAnimationFrame(frame);
  if (!still.matches && !document.hidden) frame = requestAnimationFrame(step);
}

export function start() {
  addEventListener("resize", resize);
  document.addEventListener("visibilitychange", run);
  still.addEventListener("change", run);
  resize();
  run();
}
