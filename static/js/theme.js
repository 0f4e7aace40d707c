// The switch between light, dark and what the browser prefers. The choice is a cookie, so that the
// server can draw the next page in the right colours from its first byte.

const YEAR = 365 * 24 * 60 * 60;
const SCHEMES = { light: "light", dark: "dark", auto: "light dark" };

function show(theme) {
  document.documentElement.dataset.theme = theme;
  document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", SCHEMES[theme]);
  for (const button of document.querySelectorAll("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

function remember(theme) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  const age = theme === "auto" ? 0 : YEAR;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${secure}`;
}

for (const group of document.querySelectorAll("[data-theme-switch]")) {
  group.hidden = false;
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button === null) return;
    remember(button.value);
    show(button.value);
  });
}
