// Like, follow and comment without leaving the page. Every form here works without this module.
//
//   <form data-toggle data-on="…/like/" data-off="…/unlike/">  a button with aria-pressed
//   <form data-comment>                                        puts what was said into #comments
//   <form data-delete>                                         takes its .comment off the page
//
// The answer says what is true now; when there is none, or not the expected one, the browser
// sends the form in its own way.

const WAYS = { toggle, comment: say, delete: takeAway };

document.addEventListener("submit", (event) => {
  const form = event.target;
  const way = Object.keys(WAYS).find((name) => name in form.dataset);
  if (!way) return;
  event.preventDefault();
  if (form.ariaBusy !== "true") send(form, WAYS[way]);
});

async function send(form, arrive) {
  form.ariaBusy = "true";
  complain(form, "");
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    });
    const answer = await response.json();
    if (response.ok) arrive(form, answer);
    else if (answer.login) form.submit();
    else complain(form, answer.error);
  } catch {
    form.submit();
  } finally {
    form.ariaBusy = "false";
  }
}

function complain(form, words) {
  const place = form.querySelector("[data-error]");
  if (place) place.textContent = words;
}

function toggle(form, { on, count }) {
  form.action = on ? form.dataset.off : form.dataset.on;
  form.querySelector("button").setAttribute("aria-pressed", String(on));
  const number = form.querySelector("[data-count]");
  if (number) number.textContent = count;
}

function say(form, { id, html }) {
  document.querySelector("[data-no-comments]")?.remove();
  // The same once more, after a double click, is the comment that is there.
  if (!document.getElementById(`comment-${id}`)) {
    const page = new DOMParser().parseFromString(html, "text/html");
    document.getElementById("comments")?.append(...page.body.children);
  }
  form.reset();
  form.querySelector("textarea").focus();
}

function takeAway(form) {
  form.closest(".comment").remove();
  document.querySelector("[data-comment] textarea")?.focus();
}

// The cards of a stream are the same for everybody: what this viewer likes is marked on top.
function markLiked() {
  for (const list of document.querySelectorAll("[data-liked]")) {
    for (const id of list.dataset.liked.split(" ").filter(Boolean)) {
      document.querySelector(`[data-photo="${id}"]`)?.classList.add("is-liked");
    }
    list.remove();
  }
}

// Older photos are added to the stream as it is read, with a list of their own.
const stream = document.querySelector("[data-stream]");
if (stream) new MutationObserver(markLiked).observe(stream, { childList: true });
markLiked();
