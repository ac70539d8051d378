let token = sessionStorage.getItem("token") || "";
let stream = null, typing = 0, view = "";
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) { token = given; sessionStorage.setItem("token", token); history.replaceState(null, "", location.pathname); }
at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  at("token").value = "";
  sessionStorage.setItem("token", token);
  at("login").classList.remove("shown");
  listen();
});
function look() {
  const wanted = new URLSearchParams();
  if (at("search").value.trim()) wanted.set("search", at("search").value.trim());
  if (at("presence").value) wanted.set("presence", at("presence").value);
  if (String(wanted) === view) return;
  view = String(wanted);
  listen();
}
at("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(look, 250); });
at("presence").addEventListener("change", look);
at("filter").addEventListener("submit", (event) => { event.preventDefault(); look(); });
document.addEventListener("keydown", (event) => {
  const writing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "/" && !writing && !at("filter").hidden && !at("ask").open) {
    event.preventDefault();
    at("search").focus();
  }
});

function take(text, first) {
  let name = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (!line.startsWith("data: ")) continue;
    const data = JSON.parse(line.slice(6));
    if (name === "happened") happened(data, first); else show(data);
  }
  return name;
}
// One stream at a time: another view, or another token, ends the one before.
function listen() {
  if (stream) stream.abort();
  stream = new AbortController();
  follow(stream.signal, 0);
}
async function follow(signal, failures) {
  try {
    const headers = token ? { Authorization: "Bearer " + token } : {};
    const answer = await fetch("/api/live" + (view ? "?" + view : ""), { headers, cache: "no-store", signal });
    if (answer.status === 401 || answer.status === 403) {
      const said = await answer.json();
      note(token ? said.error : "");
      state("a token is needed", false);
      at("board").hidden = true;
      at("login").classList.add("shown");
      return;
    }
    if (!answer.ok) { note((await answer.json()).error); throw new Error("status " + answer.status); }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "", first = true;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      held += value;
      let end;
      while ((end = held.indexOf("\n\n")) >= 0) {
        if (take(held.slice(0, end), first) === "happened") first = false;
        held = held.slice(end + 2);
      }
      failures = 0;
    }
  } catch (problem) { /* told below: whatever it was, the way out is to try again */ }
  if (signal.aborted) return;
  state("connection lost, trying again", false);
  setTimeout(() => { if (!signal.aborted) follow(signal, failures + 1); }, Math.min(30000, 1000 * 2 ** failures));
}
listen();
