// What may be done with the scope `operate`. The API decides; the page only asks, and tells what it said.
const ANSWERS = 3, SECONDS = 45, PATIENCE = 300, SOON = 3;
let asked = null, opener = null, events = [];

function field(name, label, options) {
  const made = make("label", label, "field"), input = make("input");
  input.id = "ask-" + name;
  Object.assign(input, { autocomplete: "off", maxLength: 40, ...options });
  if (name === "caller_id_number") input.setAttribute("list", "numbers");
  made.append(input);
  return made;
}
function legs(item) {
  const made = make("fieldset");
  made.append(make("legend", "Who is sent on; the other is let go"));
  // Mostly it is the caller from outside who is sent on.
  const usual = Math.max(0, item.legs.findIndex((leg) => !leg.agent));
  item.legs.forEach((leg, index) => {
    const label = make("label"), input = make("input");
    Object.assign(input, { type: "radio", name: "leg", value: leg.uuid, checked: index === usual });
    label.append(input, " " + leg.number + (leg.agent ? " (agent)" : ""));
    made.append(label);
  });
  return made;
}
function box(name, label) {
  const made = make("label", undefined, "box-field"), input = make("input");
  Object.assign(input, { id: "ask-" + name, type: "checkbox", checked: true });
  made.append(input, " " + label);
  return made;
}
const shownNumber = () => field("caller_id_number", "Number to show outside (if not the usual one)", { inputMode: "tel" });

// Each question: what the dialog says, what it asks for, and what is sent where.
const QUESTIONS = {
  hangup: (uuid) => {
    const item = seen.calls.find((one) => one.uuid === uuid);
    return item && { title: "Hang up " + callName(item) + "?", text: "The call ends for everybody in it.",
      verb: "Hang up", bad: true, path: "/api/calls/" + encodeURIComponent(uuid) + "/hangup" };
  },
  transfer: (uuid) => {
    const item = seen.calls.find((one) => one.uuid === uuid);
    return item && { title: "Transfer " + callName(item), text: "", verb: "Transfer", bad: true,
      fields: [legs(item), field("destination", "To an extension or a number", { required: true, inputMode: "tel" }),
        shownNumber()],
      path: () => {
        const leg = document.querySelector("#ask-fields input[name=leg]:checked");
        return "/api/calls/" + encodeURIComponent(leg ? leg.value : uuid) + "/transfer";
      } };
  },
  kick: (extension) => {
    const item = seen.agents.find((one) => one.extension === extension);
    return item && { title: "Kick " + extension + " " + item.name + "?",
      text: "This ends " + plural(item.phones.length, "registration") + " (" + item.phones.join(", ") +
        "). A phone that still has a valid password registers again.",
      verb: "Kick", bad: true, path: "/api/agents/" + encodeURIComponent(extension) + "/kick" };
  },
  dial: (extension) => ({ title: "Dial", text: "The agent's phone rings first; when it is picked up, the other is called.",
    verb: "Dial", path: "/api/calls/dial", called: (body) => "Dial " + body.destination + " from " + body.agent_extension,
    fields: [field("agent_extension", "Agent's extension", { required: true, inputMode: "numeric", value: extension || "" }),
      field("destination", "Number or extension to call", { required: true, inputMode: "tel" }), shownNumber(),
      box("wait", "Tell me when both have answered, or why not")] }),
};

function ask(action, subject, button) {
  asked = QUESTIONS[action](subject);
  if (!asked) return;
  opener = button;
  say(at("ask-title"), asked.title);
  at("ask-text").textContent = asked.text;
  at("ask-text").hidden = !asked.text;
  at("ask-problem").textContent = "";
  at("ask-fields").replaceChildren(...(asked.fields || []));
  at("ask-do").textContent = asked.verb;
  at("ask-do").className = asked.bad ? "bad" : "";
  wait(false);
  if (asked.fields) offerNumbers();
  at("ask").showModal();
  const first = Array.from(at("ask-fields").querySelectorAll("input:not([type=radio])")).find((one) => one.required && !one.value);
  (first || at("ask-cancel")).focus();
}
function wait(on) {
  for (const id of ["ask-do", "ask-cancel"]) at(id).disabled = on;
  at("ask-form").setAttribute("aria-busy", String(on));
}
function takeFields() {
  const body = {};
  for (const input of at("ask-fields").querySelectorAll("input:not([type=radio])")) {
    const value = input.type === "checkbox" ? input.checked : input.value.trim();
    if (value) body[input.id.slice(4)] = value;
  }
  return body;
}
async function request(path, body, seconds) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method: "POST", headers, cache: "no-store",
    body: body && JSON.stringify(body), signal: AbortSignal.timeout(seconds * 1000) });
  return [answer.status, await answer.json()];
}
// Below 500 nothing was done. From there on only the API's own words tell, and 503 may mean that the
// switch did not answer in time.
function refusal(status, said) {
  const words = String(said.error);
  if (status < 500) return "Refused: " + words;
  return "Trouble: " + words + (status === 503 ? ". Look whether it was done before you try again." : "");
}
async function perform(event) {
  event.preventDefault();
  const question = asked, body = question.fields ? takeFields() : undefined;
  const title = question.called ? question.called(body) : question.title.replace(/\?$/, "");
  const path = typeof question.path === "function" ? question.path() : question.path;
  const patient = Boolean(body && body.wait);
  at("ask-problem").textContent = "";
  wait(true);
  const answer = settle(path, body, patient ? PATIENCE : SECONDS);
  // A refusal comes soon. Whoever waits for people longer than that is not held up by the question.
  let found = await (patient ? Promise.race([answer, pause(SOON)]) : answer);
  wait(false);
  // What stands behind an open dialog is not read out: answers come once it is closed.
  if (!found || found[0]) at("ask").close();
  else at("ask-problem").textContent = found[1];
  if (!found) {
    tell(title + ": asked; not both have answered yet.", true);
    found = await answer;
  }
  tell(title + ": " + found[1], found[0]);
}
function pause(seconds) { return new Promise((done) => setTimeout(done, seconds * 1000)); }
async function settle(path, body, seconds) {
  try {
    const [status, said] = await request(path, body, seconds);
    const good = status === 200 && said.success === true;
    return [good, good ? outcome(said) : refusal(status, said)];
  } catch (problem) {
    return [false, "No answer came. Nobody knows whether it was done: look at the calls before you try again."];
  }
}
function outcome(said) {
  if (said.message) return said.message + ".";
  const data = said.data || {};
  if (data.ended !== undefined) return "Ended " + plural(data.ended, "registration") + ".";
  if (data.status === "agent_answered") return data.agent_extension + " answered; calling " + data.destination + ".";
  if (data.status === "connected") return data.agent_extension + " and " + data.destination + " are connected.";
  if (data.status === "calling_agent") return data.agent_extension + " is ringing; then " + data.destination + " is called.";
  return Object.entries(data).map((pair) => pair.join(": ")).join(", ");
}
function tell(text, good) {
  const made = make("p", undefined, good ? "" : "bad");
  made.append(moment(Date.now() / 1000), " " + text);
  at("answers").prepend(made);
  at("clear").hidden = false;
  while (at("answers").children.length > ANSWERS) at("answers").lastElementChild.remove();
}
async function offerNumbers() {
  if (at("numbers").children.length) return;
  const headers = token ? { Authorization: "Bearer " + token } : {};
  try {
    const said = await (await fetch("/api/inbound-routes?limit=500", { headers, cache: "no-store" })).json();
    at("numbers").replaceChildren(...(said.data || []).map((route) => {
      const made = make("option");
      made.value = route.did_number;
      return made;
    }));
  } catch (problem) { /* they are only offered: any number can be typed */ }
}

at("board").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) ask(button.dataset.action, button.dataset.subject, button);
});
at("clear").addEventListener("click", () => {
  at("answers").replaceChildren();
  at("clear").hidden = true;
  at("calls-title").focus();
});
at("dial").addEventListener("click", () => ask("dial", "", at("dial")));
at("ask-form").addEventListener("submit", perform);
at("ask-cancel").addEventListener("click", () => at("ask").close());
// While the switch is asked, Escape would hide the answer.
at("ask").addEventListener("cancel", (event) => { if (at("ask-do").disabled) event.preventDefault(); });
at("ask").addEventListener("close", () => {
  (opener && opener.isConnected ? opener : at("calls-title")).focus();
});

function happened(fresh, first) {
  events = (first ? fresh : events.concat(fresh)).slice(-200);
  list();
}
function list() {
  const kind = at("kind").value;
  const shown = events.filter((one) => !kind || one.kind === kind).reverse();
  fill(at("events"), shown.length ? shown : [{ number: 0, text: "Nothing yet." }], (one) => String(one.number), (one) => {
    const made = make("li");
    if (one.at) made.append(moment(one.at), " ");
    made.append(one.text);
    return made;
  });
}
at("kind").addEventListener("change", list);
at("leave").addEventListener("click", () => {
  sessionStorage.removeItem("token");
  location.reload();
});
