// Photos are sent one by one, each with its own progress, and can be cancelled and tried again.
//
// The form works without this module; with it, choosing files (or dropping them anywhere on the
// page) lists them, and the button sends those that wait. All words are in the template.

import { watch } from "./developing.js";

const AT_ONCE = 3;

const form = document.querySelector("[data-upload]");
const zone = document.querySelector("[data-upload-zone]");
const input = form?.querySelector('input[type="file"]');
const list = document.querySelector("[data-upload-list]");
const summary = document.querySelector("[data-upload-summary]");
const rowTemplate = document.querySelector("[data-upload-row]");
const words = { ...summary?.dataset };
const maxBytes = Number(form?.dataset.maxBytes);

// Each item: {file, row, state, request}. States: waiting, sending, taken, refused, failed, cancelled.
const items = [];

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// --- The list --------------------------------------------------------------------------------
function add(files) {
  for (const file of files) {
    const row = rowTemplate.content.firstElementChild.cloneNode(true);
    const item = { file, row, state: "waiting", request: null };
    row.querySelector("[data-name]").textContent = file.name;
    row.querySelector("progress").setAttribute("aria-label", file.name);
    name(row.querySelector("[data-cancel]"), file, () => cancel(item));
    name(row.querySelector("[data-retry]"), file, () => retry(item));
    preview(row.querySelector("img"), file);
    list.append(row);
    items.push(item);
    if (file.size === 0) show(item, "refused", words.wordEmpty);
    else if (file.size > maxBytes) show(item, "refused", words.wordTooLarge);
    else show(item, "waiting", words.wordWaiting);
  }
  tell();
}

function name(button, file, action) {
  button.setAttribute("aria-label", `${button.textContent.trim()}: ${file.name}`);
  button.addEventListener("click", action);
}

function preview(image, file) {
  const address = URL.createObjectURL(file);
  const done = () => URL.revokeObjectURL(address);
  image.addEventListener("load", done);
  image.addEventListener("error", () => {
    // The browser cannot show this format (HEIC, TIFF); the server can.
    image.remove();
    done();
  });
  image.src = address;
}

function show(item, state, status) {
  item.state = state;
  item.row.classList.toggle("is-refused", state === "refused" || state === "failed");
  item.row.querySelector("[data-status]").textContent = status;
  item.row.querySelector("progress").hidden = state !== "sending";
  item.row.querySelector("[data-cancel]").hidden = !["waiting", "sending"].includes(state);
  item.row.querySelector("[data-retry]").hidden = !["failed", "cancelled"].includes(state);
}

function tell() {
  const count = (...states) => items.filter((item) => states.includes(item.state)).length;
  document.querySelector("[data-upload-tray]").hidden = items.length === 0;
  summary.textContent = fill(words.wordSummary, {
    done: count("taken"),
    all: items.length,
    refused: count("refused", "failed"),
  });
}

function cancel(item) {
  item.request?.abort();
  show(item, "cancelled", words.wordCancelled);
  item.row.querySelector("[data-retry]").focus();
  tell();
}

function retry(item) {
  show(item, "waiting", words.wordWaiting);
  item.row.querySelector("[data-cancel]").focus();
  sendNext();
}

// --- Sending ---------------------------------------------------------------------------------
function sendNext() {
  while (items.filter((item) => item.state === "sending").length < AT_ONCE) {
    const item = items.find((candidate) => candidate.state === "waiting");
    if (!item) break;
    send(item);
  }
  tell();
}

function send(item) {
  const body = new FormData(form);
  body.delete(input.name);
  body.append(input.name, item.file);
  const request = new XMLHttpRequest();
  const bar = item.row.querySelector("progress");
  bar.value = 0;
  item.request = request;
  show(item, "sending", words.wordSending);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.addEventListener("load", () => answered(item, request));
  request.addEventListener("error", () => finish(item, "failed", words.wordNoConnection));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.send(body);
}

function answered(item, request) {
  const answer = request.response ?? {};
  const photo = answer.photos?.[0];
  const refusal = answer.refused?.[0];
  if (photo) developing(item, photo);
  else if (refusal) refused(item, refusal);
  else if (request.status < 500 && answer.error) finish(item, "failed", answer.error);
  else finish(item, "failed", words.wordFailed);
}

function finish(item, state, status) {
  show(item, state, status);
  sendNext();
}

function refused(item, refusal) {
  finish(item, "refused", refusal.reason);
  if (refusal.url) item.row.querySelector("[data-name]").replaceChildren(link(refusal.url, item));
}

function link(address, item) {
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.textContent = item.file.name;
  return anchor;
}

function developing(item, photo) {
  const { row } = item;
  row.querySelector("[data-name]").replaceChildren(link(photo.url, item));
  row.dataset.stateUrl = photo.state_url;
  row.dataset.liveTopic = `photo:${photo.id}`;
  finish(item, "taken", words.wordDeveloping);
  watch(row, (state) => developed(item, state));
}

function developed(item, state) {
  const address = state.renditions["96.webp"];
  if (address) picture(item.row).src = address;
  if (state.state === "ready") show(item, "taken", words.wordReady);
  if (state.state === "failed") show(item, "refused", state.reason);
  tell();
}

function picture(row) {
  return row.querySelector("img") ?? row.querySelector("[data-picture]").appendChild(new Image());
}

// --- The page --------------------------------------------------------------------------------
function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}

function listenToDrops() {
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("is-over");
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.remove("is-over");
    add(event.dataTransfer.files);
  });
}

function start() {
  input.required = false;
  input.addEventListener("change", () => {
    add(input.files);
    // The list has them now; the same file may be chosen again.
    input.value = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (items.some((item) => item.state === "waiting")) sendNext();
    else input.click();
  });
  window.addEventListener("beforeunload", (event) => {
    if (items.some((item) => item.state === "sending")) event.preventDefault();
  });
  listenToDrops();
}

if (form && list && rowTemplate) start();
