// The next page of a stream is put below the first as it comes into sight. Without this module its
// link is an ordinary link; with it, the link stays and works after a few pages, so that whatever
// is below the stream can be reached.
//
//   <div data-stream>…cards…</div>
//   <a data-stream-next href="?before=…" data-word-more="More photos are shown.">Older photos</a>

const PAGES_BY_ITSELF = 4;
const AHEAD = "900px";

let loaded = 0;
let isLoading = false;

const observer = new IntersectionObserver(
  (entries) => {
    if (entries.some((entry) => entry.isIntersecting) && loaded < PAGES_BY_ITSELF) load();
  },
  { rootMargin: AHEAD },
);

async function load() {
  const link = document.querySelector("[data-stream-next]");
  if (!link || isLoading) return;
  isLoading = true;
  link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(link.href, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(String(response.status));
    show(link, new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The link is still there: a click asks again, and shows what is wrong.
    observer.disconnect();
    link.removeAttribute("aria-busy");
    loaded = PAGES_BY_ITSELF;
  } finally {
    isLoading = false;
  }
}

function show(link, page) {
  const stream = document.querySelector("[data-stream]");
  const cards = [...page.querySelectorAll("[data-stream] > *")];
  stream.append(...cards);
  loaded += 1;
  const place = document.querySelector("[data-announce]");
  if (place) place.textContent = link.dataset.wordMore;
  const next = page.querySelector("[data-stream-next]");
  observer.unobserve(link);
  if (!next) return link.remove();
  link.replaceWith(next);
  observe(next);
}

function observe(link) {
  observer.observe(link);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || loaded === PAGES_BY_ITSELF) return;
    event.preventDefault();
    load();
  });
}

const first = document.querySelector("[data-stream-next]");
if (first) observe(first);
