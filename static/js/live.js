// One stream for the page: what its elements name in `data-live-topic` is told as it changes.
//
//   <meta name="live" content="https://photos.example.org/live/">
//   <article data-live-topic="photo:…">
//
// The document hears `live:state` and `live:gone` with `{topic, state}`, and `live:open` and
// `live:closed` when the stream comes and goes. Whoever polls for the same goes slow in between:
// nothing here is needed for a page to become true, only for it to be so at once. After each
// connection the current state of every topic comes first, so nothing is missed.

const TOPICS_AT_MOST = 100;
const SETTLE = 150;
const AFTER_A_REFUSAL = 60_000;
const HIDDEN_FOR = 20_000;

const address = document.querySelector('meta[name="live"]')?.content;
let source = null;
let followed = new Set();
let timer = 0;

function wanted() {
  const topics = [...document.querySelectorAll("[data-live-topic]")].map(
    (element) => element.dataset.liveTopic,
  );
  return new Set(topics.slice(0, TOPICS_AT_MOST));
}

function follow() {
  const topics = wanted();
  if (topics.size === 0 || document.hidden) return stop();
  // A stream that tells more than is wanted is no reason for a new one.
  if (source && [...topics].every((topic) => followed.has(topic))) return;
  stop();
  open(topics);
}

function open(topics) {
  followed = topics;
  const url = new URL(address, location.href);
  for (const topic of topics) url.searchParams.append("topic", topic);
  source = new EventSource(url, { withCredentials: true });
  source.addEventListener("open", () => say("live:open"));
  source.addEventListener("error", broken);
  source.addEventListener("state", ({ data }) => say("live:state", JSON.parse(data)));
  source.addEventListener("gone", ({ data }) => say("live:gone", JSON.parse(data)));
}

function stop() {
  if (!source) return;
  source.close();
  source = null;
  say("live:closed");
}

// The browser comes back by itself after a broken connection, but not after a refusal.
function broken() {
  if (source.readyState !== EventSource.CLOSED) return say("live:closed");
  stop();
  later(AFTER_A_REFUSAL);
}

function say(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

function later(wait = SETTLE) {
  clearTimeout(timer);
  timer = setTimeout(follow, wait);
}

if (address) {
  new MutationObserver(() => later()).observe(document.body, {
    attributeFilter: ["data-live-topic"],
    childList: true,
    subtree: true,
  });
  // A tab that nobody sees holds no stream for long: browsers open only so many to one site, and
  // what happened meanwhile is the first thing that the next one tells.
  document.addEventListener("visibilitychange", () => later(document.hidden ? HIDDEN_FOR : 0));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", () => later(0));
  follow();
}
