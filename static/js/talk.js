// Likes and comments of others show on an open page of a photo as they happen.
//
//   <article data-live-topic="photo:…" data-comments-url="…/comments/list/">
//
// The live channel says how many like it and which comments are the newest; what is said in those
// is fetched as the server draws it for this reader. What one does oneself arrives here too, and
// changes nothing: the number is the same, and the comment is there.

const page = document.querySelector("[data-comments-url]");
let latest = null;
let isFetching = false;

function listed() {
  return [...document.querySelectorAll("#comments > .comment")];
}

function idOf(element) {
  return Number(element.id.replace("comment-", ""));
}

function announce(words) {
  const place = document.querySelector("[data-announce]");
  if (place) place.textContent = words;
}

function showLikes({ likes, likes_words: words }) {
  const number = page.querySelector(".like-button .count");
  if (!number || number.textContent === String(likes)) return;
  number.textContent = likes;
  announce(words);
}

function takeAwayDeleted({ comments, comments_shown: shown }) {
  // Of a long talk only the newest are known: those below may well be there.
  const oldest = comments.length < shown ? 0 : Math.min(...comments);
  for (const element of listed()) {
    if (idOf(element) >= oldest && !comments.includes(idOf(element))) element.remove();
  }
}

function missing({ comments }) {
  const ids = listed().map(idOf);
  // Older than all that stand there are on the page before.
  const oldest = ids.length ? Math.min(...ids) : 0;
  return comments.filter((id) => id > oldest && !ids.includes(id));
}

function insert(element) {
  const id = idOf(element);
  if (document.getElementById(element.id)) return;
  const next = listed().find((other) => idOf(other) > id);
  document.getElementById("comments").insertBefore(element, next ?? null);
}

async function fetchMissing() {
  if (isFetching || missing(latest).length === 0) return;
  isFetching = true;
  try {
    const asked = latest;
    const response = await fetch(page.dataset.commentsUrl, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const wanted = missing(latest);
    for (const element of fresh.querySelectorAll("#comments > .comment")) {
      if (wanted.includes(idOf(element))) insert(element);
    }
    if (listed().length) document.querySelector("[data-no-comments]")?.remove();
    if (asked !== latest) setTimeout(fetchMissing);
  } catch {
    // No connection: it comes with the next news, or the next look at the page.
  } finally {
    isFetching = false;
  }
}

document.addEventListener("live:state", ({ detail }) => {
  if (!page || detail.topic !== page.dataset.liveTopic || !detail.state.comments) return;
  latest = detail.state;
  showLikes(latest);
  takeAwayDeleted(latest);
  fetchMissing();
});

document.addEventListener("live:gone", ({ detail }) => {
  if (page && detail.topic === page.dataset.liveTopic) announce(page.dataset.wordGone);
});
