// A photo that its owner edits turns into the new picture by itself, for everybody who looks at
// it. Nothing else of the page changes: a comment that is being written stays.
//
//   <article data-live-topic="photo:…">
//     <div data-picture="<one of its addresses>" data-changing data-state-url="…/state/"
//          data-seen="ready:10:changing" data-word-turned="The picture has changed.">

import { watch } from "./developing.js";

const PLACE = "[data-picture]";

async function turn(before) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector(PLACE);
  if (!fresh || !before.isConnected) return;
  before.replaceWith(fresh);
  begin(fresh);
  const place = document.querySelector("[data-announce]");
  if (place && fresh.dataset.picture !== before.dataset.picture) {
    place.textContent = fresh.dataset.wordTurned;
  }
}

function begin(picture) {
  if ("changing" in picture.dataset) watch(picture, () => turn(picture));
}

function isOutOfDate(picture, state) {
  if (state.is_changing || state.state !== "ready") return false;
  const isAnother = !Object.values(state.renditions).includes(picture.dataset.picture);
  return isAnother || "changing" in picture.dataset;
}

document.addEventListener("live:state", ({ detail }) => {
  const picture = document.querySelector(PLACE);
  const topic = picture?.closest("[data-live-topic]")?.dataset.liveTopic;
  if (topic === detail.topic && isOutOfDate(picture, detail.state)) turn(picture).catch(() => {});
});

const first = document.querySelector(PLACE);
if (first) begin(first);
