// What staff announce, at the top of every page: it comes and goes while the page is open, and each
// reader may put it away, for this browser.
//
//   <div data-announcements data-live-topic="site:announcements">
//     <div data-announcement="7-1790000000"><p>…</p><button data-dismiss hidden>…</button></div>
//
// Without this module the page shows what was announced when it was made.

const KEY = "dismissed";
const REMEMBERED = 50;
const place = document.querySelector("[data-announcements]");

function dismissed() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function remember(version) {
  try {
    localStorage.setItem(KEY, JSON.stringify([version, ...dismissed()].slice(0, REMEMBERED)));
  } catch {
    // A browser that keeps nothing shows it again on the next page.
  }
}

function versions(root) {
  return [...root.querySelectorAll("[data-announcement]")].map(
    (element) => element.dataset.announcement,
  );
}

function sift(root) {
  const away = dismissed();
  for (const element of root.querySelectorAll("[data-announcement]")) {
    const button = element.querySelector("[data-dismiss]");
    if (button && away.includes(element.dataset.announcement)) element.remove();
    else if (button) button.hidden = false;
  }
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  sift(page.body);
  // What stands there already is not read out again.
  if (String(versions(page.body)) === String(versions(place))) return;
  place.replaceChildren(...page.body.children);
}

if (place) {
  place.addEventListener("click", ({ target }) => {
    const element = target.closest("[data-dismiss]")?.closest("[data-announcement]");
    if (!element) return;
    remember(element.dataset.announcement);
    element.remove();
    document.getElementById("content")?.focus({ preventScroll: true });
  });
  document.addEventListener("live:state", ({ detail }) => {
    if (detail.topic === place.dataset.liveTopic) show(detail.state.html);
  });
  sift(place);
}
