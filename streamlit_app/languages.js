// Keeps the chosen language for the next time that this browser opens the page, and tells screen readers which
// one the page is in.

const YEAR_S = 365 * 24 * 3600;

export default function ({ data }) {
  document.documentElement.lang = data.shown;
  if (!data.chosen) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.cookie}=${data.chosen}; Path=/; Max-Age=${YEAR_S}; SameSite=Strict${secure}`;
}
