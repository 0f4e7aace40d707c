// The number on the bell of somebody who is logged in follows what happens, and is said once.
//
//   <a data-bell data-live-topic="user:7"><span data-bell-count hidden>0</span></a>
//   <span role="status" data-bell-words></span>

const bell = document.querySelector("[data-bell]");

document.addEventListener("live:state", ({ detail }) => {
  if (!bell || detail.topic !== bell.dataset.liveTopic) return;
  const { unseen, words } = detail.state;
  const number = bell.querySelector("[data-bell-count]");
  const before = Number(number.textContent);
  number.textContent = unseen;
  number.hidden = unseen === 0;
  if (unseen > before) document.querySelector("[data-bell-words]").textContent = words;
});
