// Photos that are still developing turn into pictures by themselves.
//
//   <article data-developing data-state-url="…/state/" data-fragment-url="…/card/"
//            data-live-topic="photo:…" data-word-ready="Harbour is developed.">
//
// Each is asked for its state, less and less often, and not at all while the tab is hidden. When
// there is something new to see, the element is replaced by the same element of `fragment-url`
// (the one with the same `data-photo`). News from the live channel arrive as events of the
// document, `live:state` with `{topic, state}`, and save the next question.

const FIRST_WAIT = 600;
const LONGEST_WAIT = 15_000;
const GROWTH = 1.4;
const AT_ONCE = 4;

const watched = new Map();
let asking = 0;
let growth = GROWTH;

export function watchAll(root = document) {
  for (const element of root.querySelectorAll("[data-developing]")) watch(element);
}

// `arrive(state)` is called for each state that looks different; the usual one fetches the fragment.
export function watch(element, arrive = (state) => replace(element, state)) {
  if (watched.has(element)) return;
  const seen = element.dataset.seen ?? "";
  watched.set(element, { arrive, seen, wait: FIRST_WAIT, due: Date.now() + FIRST_WAIT });
  schedule();
}

// What of a state can be seen: nothing yet, the small sizes, all of them, or why there are none.
function look(state) {
  const sizes = Object.keys(state.renditions).length;
  const edits = state.is_changing ? ":changing" : "";
  return sizes || state.state === "failed" ? `${state.state}:${sizes}${edits}` : "";
}

function isOver(state) {
  return (state.state === "ready" && !state.is_changing) || state.state === "failed";
}

let timer = 0;
function schedule() {
  clearTimeout(timer);
  if (document.hidden || watched.size === 0) return;
  const next = Math.min(...[...watched.values()].map((watch) => watch.due));
  timer = setTimeout(askThoseDue, Math.max(0, next - Date.now()));
}

function askThoseDue() {
  const now = Date.now();
  const due = [...watched].filter(([, watch]) => watch.due <= now);
  due.sort(([, one], [, other]) => one.due - other.due);
  for (const [element, watch] of due) {
    watch.wait = Math.min(LONGEST_WAIT, watch.wait * growth);
    watch.due = now + watch.wait;
    if (asking < AT_ONCE) ask(element);
  }
  schedule();
}

async function ask(element) {
  if (!element.isConnected) return watched.delete(element);
  asking += 1;
  try {
    const response = await fetch(element.dataset.stateUrl, {
      headers: { Accept: "application/json" },
    });
    if (response.status === 404) leave(element);
    else if (response.ok) await tell(element, await response.json());
  } catch {
    // No connection: the next question comes anyway, a little later.
  } finally {
    asking -= 1;
  }
}

function leave(element) {
  watched.delete(element);
  element.remove();
}

async function tell(element, state) {
  const watch = watched.get(element);
  if (!watch || look(state) === watch.seen) return;
  const before = watch.seen;
  watch.seen = look(state);
  try {
    await watch.arrive(state);
    if (isOver(state)) watched.delete(element);
  } catch (error) {
    watch.seen = before;
    throw error;
  }
}

async function replace(element, state) {
  const fresh = await fetchFragment(element);
  if (!fresh || !watched.delete(element)) return;
  const words = element.dataset[state.state === "ready" ? "wordReady" : "wordFailed"];
  element.replaceWith(fresh);
  if (fresh.matches("[data-developing]")) watch(fresh);
  if (isOver(state)) announce(words);
}

async function fetchFragment(element) {
  const response = await fetch(element.dataset.fragmentUrl, { headers: { Accept: "text/html" } });
  if (!response.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.querySelector(`[data-photo="${element.dataset.photo}"]`);
}

function announce(words) {
  const place = document.querySelector("[data-announce]");
  if (place && words) place.textContent = words;
}

function askSoon() {
  for (const watch of watched.values()) {
    watch.wait = FIRST_WAIT;
    watch.due = Date.now();
  }
  schedule();
}

document.addEventListener("visibilitychange", askSoon);

function about({ detail }) {
  return [...watched.keys()].filter((element) => element.dataset.liveTopic === detail.topic);
}

document.addEventListener("live:state", (event) => {
  for (const element of about(event)) tell(element, event.detail.state).catch(() => {});
});

document.addEventListener("live:gone", (event) => {
  for (const element of about(event)) leave(element);
});

// While the stream tells what changes, asking is only a precaution; without it, it is the way.
document.addEventListener("live:open", () => {
  growth = LONGEST_WAIT;
});

document.addEventListener("live:closed", () => {
  growth = GROWTH;
  askSoon();
});

document.addEventListener("live:gone", ({ detail }) => {
  for (const element of [...watched.keys()]) {
    if (element.dataset.liveTopic === detail.topic) leave(element);
  }
});

// While the live channel tells, a rare question is enough; without it they are frequent again.
document.addEventListener("live:open", () => askEvery(LONGEST_WAIT));
document.addEventListener("live:closed", () => askEvery(FIRST_WAIT));

function askEvery(wait) {
  for (const watch of watched.values()) {
    watch.wait = wait;
    watch.due = Date.now() + wait;
  }
  schedule();
}

watchAll();
