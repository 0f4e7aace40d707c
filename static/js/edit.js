// What is done to a photo is shown while it is being done.
//
//   <section data-editor data-preview-url="…/preview/" data-word-…>
//     <div data-stage><img data-preview><div data-crop hidden></div></div>
//     <form>…turns, shape, crop_left …, brightness …</form>
//
// Turning and tones are tried by an image worker, which answers with a small picture: asked for a
// moment after the last move, and an answer that is no longer wanted is not waited for. The crop is
// drawn here, over the whole picture, by the sliders or by a finger. Without this module the form
// is sent to be previewed, and saved, as any other.

const DEBOUNCE = 180;
const TRIES = 5;
const SMALLEST = 5;
const ASKED = ["turns", "brightness", "contrast", "saturation", "warmth"];
const WHOLE = { left: 0, top: 0, width: 100, height: 100 };

const editor = document.querySelector("[data-editor]");
const form = editor.querySelector("form");
const stage = editor.querySelector("[data-stage]");
const image = editor.querySelector("[data-preview]");
const frame = editor.querySelector("[data-crop]");
const field = (name) => form.elements[name];

// --- The preview -------------------------------------------------------------------------------
let timer = 0;
let asking = new AbortController();
let turned = Number(field("turns").value);

function askSoon(wait = DEBOUNCE) {
  asking.abort();
  clearTimeout(timer);
  timer = setTimeout(preview, wait);
}

async function preview() {
  asking = new AbortController();
  const { signal } = asking;
  const turns = Number(field("turns").value);
  say(editor.dataset.wordWaiting);
  try {
    const response = await ask(signal);
    if (!response.ok) return say((await response.json()).error);
    await show(await response.blob(), turns, signal);
  } catch {
    if (!signal.aborted) say(editor.dataset.wordOffline);
  }
}

async function ask(signal) {
  const query = new URLSearchParams(ASKED.map((name) => [name, field(name).value]));
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`${editor.dataset.previewUrl}?${query}`, { signal });
    const wait = Number(response.headers.get("Retry-After"));
    if (!wait || tries === TRIES) return response;
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    signal.throwIfAborted();
  }
}

async function show(blob, turns, signal) {
  const fresh = new Image();
  fresh.src = URL.createObjectURL(blob);
  await fresh.decode();
  if (signal.aborted) return;
  if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
  image.src = fresh.src;
  delete image.dataset.isCut;
  turned = turns;
  draw();
  say(editor.dataset.wordShown);
}

function say(words) {
  editor.querySelector("[data-editor-status]").textContent = words ?? "";
}

// --- The crop, in percent of the turned picture ------------------------------------------------
function crop() {
  const number = (name) => Number(field(`crop_${name}`).value);
  return { left: number("left"), top: number("top"), width: number("width"), height: number("height") };
}

function setCrop({ left, top, width, height }) {
  const wide = Math.min(100, Math.max(SMALLEST, width));
  const high = Math.min(100, Math.max(SMALLEST, height));
  const within = {
    left: Math.min(Math.max(0, left), 100 - wide),
    top: Math.min(Math.max(0, top), 100 - high),
    width: wide,
    height: high,
  };
  for (const [name, value] of Object.entries(within)) {
    field(`crop_${name}`).value = value.toFixed(1);
  }
  draw();
}

// How high a crop of the chosen shape is for its width, in percent of each; 0: as drawn.
function steepness() {
  const [across, down] = field("shape").value.split(":").map(Number);
  if (!down || !image.naturalWidth || "isCut" in image.dataset) return 0;
  const isOnItsSide = (turned - Number(field("turns").value)) % 2 !== 0;
  const shown = image.naturalWidth / image.naturalHeight;
  return ((isOnItsSide ? 1 / shown : shown) * down) / across;
}

function fit(by = "") {
  const now = crop();
  const steep = steepness();
  if (!steep) return setCrop(now);
  let { width } = now;
  if (by === "height") width = Math.min(100, now.height / steep);
  else if (!by) width = Math.min(width, now.height / steep);
  if (width * steep > 100) width = 100 / steep;
  const height = width * steep;
  const left = by ? now.left : now.left + (now.width - width) / 2;
  const top = by ? now.top : now.top + (now.height - height) / 2;
  setCrop({ left, top, width, height });
}

function slide(name) {
  const now = crop();
  if (name === "left") field("crop_width").value = Math.min(now.width, 100 - now.left);
  if (name === "top") field("crop_height").value = Math.min(now.height, 100 - now.top);
  const follows = { left: "width", top: "height" };
  fit(follows[name] ?? name);
}

function draw() {
  const now = crop();
  const isWhole = Object.entries(WHOLE).every(([name, value]) => now[name] === value);
  const isTurning = turned !== Number(field("turns").value);
  frame.hidden = isWhole || isTurning || "isCut" in image.dataset;
  // Not by a `style` attribute: the policy of the site forbids those.
  for (const [name, value] of Object.entries(now)) frame.style[name] = `${value}%`;
  for (const output of form.querySelectorAll("output")) {
    output.textContent = document.getElementById(output.htmlFor.value).value;
  }
}

function turnCrop(quarters) {
  let now = crop();
  for (let turn = 0; turn < quarters; turn += 1) {
    const { left, top, width, height } = now;
    now = { left: 100 - top - height, top: left, width: height, height: width };
  }
  setCrop(now);
}

// --- A finger on the picture: inside the frame it moves it, elsewhere it draws a new one -------
let drag = null;

function place(event) {
  const box = stage.getBoundingClientRect();
  const share = (at, from, size) => Math.min(100, Math.max(0, (100 * (at - from)) / size));
  return { x: share(event.clientX, box.left, box.width), y: share(event.clientY, box.top, box.height) };
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || "isCut" in image.dataset) return;
  event.preventDefault();
  stage.setPointerCapture(event.pointerId);
  const { x, y } = place(event);
  drag = { x, y, from: crop(), isMove: event.target === frame };
});

stage.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const { x, y } = place(event);
  const { from } = drag;
  if (drag.isMove) return setCrop({ ...from, left: from.left + x - drag.x, top: from.top + y - drag.y });
  const width = Math.abs(x - drag.x);
  const height = width * steepness() || Math.abs(y - drag.y);
  // A tap draws nothing.
  if (Math.max(width, height) < SMALLEST / 2) return;
  setCrop({
    left: x < drag.x ? drag.x - width : drag.x,
    top: y < drag.y ? drag.y - height : drag.y,
    width,
    height,
  });
  fit("width");
});

for (const end of ["pointerup", "pointercancel"]) {
  stage.addEventListener(end, () => {
    drag = null;
  });
}

// --- The controls ------------------------------------------------------------------------------
let turns = Number(field("turns").value);

function turnTo(value) {
  field("turns").value = value;
  turnCrop((value - turns + 4) % 4);
  turns = value;
  askSoon(0);
}

form.addEventListener("input", ({ target }) => {
  if (target.name === "turns") turnTo(Number(target.value));
  else if (target.name === "shape") fit();
  else if (target.name.startsWith("crop_")) slide(target.name.slice("crop_".length));
  else askSoon();
  draw();
});

for (const button of form.querySelectorAll("[data-turn]")) {
  button.hidden = false;
  button.addEventListener("click", () => turnTo((turns + Number(button.dataset.turn)) % 4));
}

for (const output of form.querySelectorAll("output")) output.hidden = false;
form.querySelector("[data-preview-button]").hidden = true;
draw();
// The page's picture is cropped already, or another than the fields say: ask for the whole.
if ("isCut" in image.dataset) askSoon(0);
