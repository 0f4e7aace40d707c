// Tells the site that somebody looks at the photo, so that its owner learns how often: once for
// each photo, day and tab, and nothing about who it is.
//
//   <article data-photo="…" data-seen-url="…/seen/">   not on the owner's own page
//
// A page that was loaded ahead, or in a tab behind others, is not looked at until it is shown.

const KEY = "seen";
const page = document.querySelector("[data-seen-url]");

function today() {
  return new Date().toLocaleDateString("sv");
}

function known() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    return kept?.day === today() ? kept.photos : [];
  } catch {
    return [];
  }
}

function remember(photos) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ day: today(), photos }));
  } catch {
    // A browser that keeps nothing counts each look.
  }
}

function look() {
  if (document.prerendering || document.visibilityState !== "visible") return;
  document.removeEventListener("visibilitychange", look);
  const photos = known();
  const { photo, seenUrl } = page.dataset;
  if (!photos.includes(photo) && navigator.sendBeacon(seenUrl)) remember([...photos, photo]);
}

if (page) {
  document.addEventListener("visibilitychange", look);
  document.addEventListener("prerenderingchange", look, { once: true });
  look();
}
