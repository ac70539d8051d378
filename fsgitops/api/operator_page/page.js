const at = (id) => document.getElementById(id);
let seen = null;
const may = (scope) => Boolean(seen && (seen.scopes || []).includes(scope));

// Callers choose their names: everything is put in as text, nothing as markup.
function make(kind, text, name) {
  const made = document.createElement(kind);
  if (text !== undefined && text !== null) made.textContent = text;
  if (name) made.className = name;
  return made;
}
// A text that stands there already is left alone: a screen reader would read it again.
function say(place, text) { if (place.textContent !== text) place.textContent = text; }
function note(text) { say(at("note"), text); at("note").classList.toggle("shown", Boolean(text)); }
function state(text, up) { say(at("state"), text); at("state").className = up ? "up" : "down"; }
function two(number) { return String(number).padStart(2, "0"); }
function age(since) {
  const all = Math.max(0, Math.floor(Date.now() / 1000) - since);
  const hours = Math.floor(all / 3600), minutes = Math.floor(all / 60);
  return (hours ? hours + ":" + two(minutes % 60) : minutes) + ":" + two(all % 60);
}
function moment(seconds) {
  const when = new Date(seconds * 1000);
  const made = make("time", [when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join(":"));
  made.dateTime = when.toISOString();
  return made;
}

// Rows are kept as long as what they show is there: whoever stands on one with the keyboard, or
// listens to one, is not thrown out of it by the next snapshot.
function fill(place, items, keyOf, build, refuge) {
  const held = document.activeElement, inside = place.contains(held);
  const known = new Map(Array.from(place.children, (node) => [node.dataset.key, node]));
  let before = null;
  for (const item of items) {
    const key = keyOf(item), content = JSON.stringify(item);
    let node = known.get(key);
    if (!node || node.dataset.content !== content) {
      const made = build(item, node);
      if (node && node !== made) node.replaceWith(made);
      node = made;
      node.dataset.key = key;
      node.dataset.content = content;
    }
    known.delete(key);
    const next = before ? before.nextSibling : place.firstChild;
    if (next !== node) place.insertBefore(node, next);
    before = node;
  }
  for (const node of known.values()) node.remove();
  if (!inside || document.activeElement === held) return;
  if (held.isConnected) held.focus(); else if (refuge) refuge.focus();
}
// The children of one row, put right without replacing the buttons among them.
function refresh(node, children) {
  children.forEach((child, index) => {
    const old = node.children[index];
    if (!old) node.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  while (node.children.length > children.length) node.lastElementChild.remove();
  return node;
}

function tile(figure, label) {
  const made = make("div", undefined, "tile");
  made.append(make("b", figure), make("span", label));
  return made;
}
function figures() {
  const counts = seen.counts, today = seen.today, up = seen.switch.up;
  const shown = [tile(up ? counts.registered + " / " + counts.agents : "–", "agents registered"),
    tile(up ? counts.on_call : "–", "on a call"), tile(up ? counts.calls : "–", "calls now")];
  if (today) {
    const talk = today.answered ? Math.round(today.billsec / today.answered) : 0;
    const share = today.calls ? Math.round(100 * today.answered / today.calls) + " %" : "–";
    shown.push(tile(today.calls, "calls today (UTC)"), tile(share, "answered today"),
      tile(talk + " s", "mean talk today"));
  } else {
    shown.push(tile("–", "today: no call records to show"));
  }
  return shown;
}
function agent(item, old) {
  const made = old || make("li");
  const presence = seen.switch.up ? item.presence : "not known";
  made.className = "agent " + presence.replace(" ", "-");
  const first = make("div"), second = make("div");
  first.append(make("b", item.extension), make("span", item.name));
  const phones = item.phones.length ? " · " + item.phones.join(", ") : "";
  second.append(make("small", presence + phones));
  const children = [first, second];
  if (may("operate") && item.phones.length) {
    const name = item.extension + " " + item.name;
    children.push(buttons([["Dial…", "Dial from " + name, "dial", item.extension],
      ["Kick…", "Kick " + name, "kick", item.extension]]));
  }
  return refresh(made, children);
}
function gateway(item, old) {
  const made = old || make("li");
  const first = make("div"), second = make("div");
  const told = [item.up ? "up" : "down"];
  if (item.registered !== null) told.push(item.registered ? "registered" : "not registered");
  if (item.latency_ms !== null) told.push(Math.round(item.latency_ms) + " ms");
  made.className = "agent trunk " + (item.up && item.registered !== false ? "up" : "down");
  first.append(make("b", item.name), make("span", item.profile));
  second.append(make("small", told.join(" · ")));
  return refresh(made, [first, second]);
}
function call(item, old) {
  const made = old || make("tr");
  made.setAttribute("role", "row");
  if (!item.uuid) {
    const nobody = make("td", seen.switch.up ? "No call is up." : "Not known.", "dim");
    nobody.setAttribute("role", "cell");
    nobody.colSpan = may("operate") ? 7 : 6;
    return refresh(made, [nobody]);
  }
  const duration = make("td", age(item.since), "age");
  duration.dataset.since = item.since;
  const cells = [["Caller", make("td", [item.caller, item.caller_name].filter(Boolean).join(" "))],
    ["Callee", make("td", item.callee)], ["Number called", make("td", item.did || "–")],
    ["Agent", make("td", item.agents.join(", ") || "–")],
    ["State", make("td", item.state.toLowerCase())], ["Duration", duration]];
  if (may("operate")) {
    const actions = make("td");
    const name = callName(item);
    actions.append(buttons([["Hang up…", "Hang up " + name, "hangup", item.uuid],
      ["Transfer…", "Transfer " + name, "transfer", item.uuid]]));
    cells.push(["Actions", actions]);
  }
  for (const [label, cell] of cells) { cell.dataset.label = label; cell.setAttribute("role", "cell"); }
  return refresh(made, cells.map(([, cell]) => cell));
}
function callName(item) { return (item.caller || "?") + " → " + (item.callee || "?"); }
function buttons(wanted) {
  const made = make("div", undefined, "row-buttons");
  for (const [text, name, action, subject] of wanted) {
    const button = make("button", text, "plain");
    button.type = "button";
    button.setAttribute("aria-label", text.replace("…", "") + name.slice(name.indexOf(" ")));
    button.dataset.action = action;
    button.dataset.subject = subject;
    made.append(button);
  }
  return made;
}
function plural(number, noun) { return number.toLocaleString("en") + " " + noun + (number === 1 ? "" : "s"); }
function show(found) {
  seen = found;
  const operate = may("operate");
  at("board").hidden = false;
  document.title = seen.project + ": operators";
  say(at("project"), seen.project);
  say(at("target"), seen.target + (seen.simulated ? " (a simulation)" : ""));
  state(seen.switch.up ? "switch up" : "switch away", seen.switch.up);
  note(seen.switch.message || seen.declared.problem || "");
  for (const id of ["actions", "dial", "filter", "past"]) at(id).hidden = !operate;
  at("leave").hidden = !operate || !token;
  refresh(at("tiles"), figures());
  // What else decides how a row looks is part of what it is compared by.
  const up = seen.switch.up;
  fill(at("agents"), seen.agents.map((item) => ({ ...item, up, operate })), (item) => item.extension,
    agent, at("agents-title"));
  at("trunks").hidden = !seen.gateways.length;
  fill(at("gateways"), seen.gateways, (item) => item.profile + "::" + item.name, gateway, at("gateways-title"));
  const calls = seen.calls.length ? seen.calls : [{ uuid: "" }];
  fill(at("calls"), calls.map((item) => ({ ...item, up, operate })), (item) => item.uuid, call, at("calls-title"));
  const hidden = seen.counts.calls - seen.calls.length;
  say(at("more-calls"), hidden > 0 ? "and " + plural(hidden, "more call") : "");
  const more = seen.view.matching - seen.agents.length;
  say(at("more"), more > 0 ? "and " + plural(more, "more agent") : "");
  const all = !seen.view.search && !seen.view.presence;
  say(at("matching"), all ? "" : plural(seen.view.matching, "agent") + (seen.view.matching === 1 ? " matches" : " match"));
}
setInterval(() => {
  for (const cell of document.querySelectorAll(".age")) say(cell, age(Number(cell.dataset.since)));
}, 1000);
