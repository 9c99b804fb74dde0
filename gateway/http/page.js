"use strict";
const MOST_ROWS = 500;
const RATE_SPAN = 5000, LEAST_SPAN = 2000;
const FIRST_WAIT = 500, LONGEST_WAIT = 10000;
const codec = document.documentElement.dataset.codec;
const by = (id) => document.getElementById(id);
const rows = by("rows");
by("form").hidden = document.documentElement.dataset.heard !== "yes";

let socket = null, wait = FIRST_WAIT, paused = false;
let count = 0, missing = 0, numbered = false;
let waiting = [], skipped = 0, drawing = false;
const lastSeq = new Map();

function state(name, text) {
  by("state").dataset.state = name;
  by("state").textContent = text;
  by("line").disabled = by("send").disabled = name !== "open";
}

function connect() {
  state("connecting", "connecting");
  socket = new WebSocket(location.href.replace(/^http/, "ws").replace(/#.*$/, ""));
  socket.binaryType = "arraybuffer";
  let opened = false;
  socket.onopen = () => { opened = true; wait = FIRST_WAIT; state("open", "connected"); };
  socket.onmessage = (event) => received(event.data);
  socket.onclose = (event) => {
    const why = event.reason || (opened ? "connection lost" : "refused or not reachable (the gateway's log says why)");
    const delay = wait * (0.5 + Math.random() / 2);
    wait = Math.min(wait * 2, LONGEST_WAIT);
    state("closed", `${why}; trying again in ${Math.max(1, Math.round(delay / 1000))} s`);
    setTimeout(connect, delay);
  };
}

// Packets are untrusted: control characters are shown as symbols, and nothing is ever parsed as HTML.
const visible = (text) => text.replace(/[\x00-\x1f\x7f]/g, (char) => String.fromCharCode(char === "\x7f" ? 0x2421 : 0x2400 + char.charCodeAt(0)));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join(" ");

function fromJson(text) {
  try {
    const packet = JSON.parse(text);
    return packet && typeof packet === "object" ? packet : null;
  } catch {
    return null;
  }
}

function lostBefore(packet) {
  const topic = String(packet.topic), last = lastSeq.get(topic), seq = packet.seq;
  if (!Number.isSafeInteger(seq)) return 0;
  numbered = true;
  if (lastSeq.size < 1000 || lastSeq.has(topic)) lastSeq.set(topic, seq);
  // A number that is not higher: the source has restarted.
  return last !== undefined && seq > last + 1 ? seq - last - 1 : 0;
}

function received(data) {
  count += 1;
  let text, time = new Date(), lost = 0, source = "", notice = "";
  if (typeof data !== "string") {
    text = hex(data);
  } else {
    text = visible(data);
    const packet = codec === "json" ? fromJson(data) : null;
    if (packet) {
      lost = lostBefore(packet);
      const stamped = new Date(packet.time);
      if (!Number.isNaN(stamped.getTime())) time = stamped;
      if (typeof packet.topic === "string") {
        source = `${packet.topic} ${packet.seq}`;
        const payload = typeof packet.text === "string" ? packet.text : `base64 ${packet.base64}`;
        const event = packet.topic.endsWith("/$events") && packet.fields ? packet.fields.event : null;
        if (typeof event === "string") notice = visible(`${event}: ${packet.fields.reason ?? payload}`);
        text = visible(packet.fields ? `${payload}  ${JSON.stringify(packet.fields)}` : payload);
      }
    }
  }
  missing += lost;
  show({ text, time, lost, source, notice });
}

function show(entry) {
  waiting.push(entry);
  if (waiting.length > MOST_ROWS) {
    waiting.shift();
    skipped += 1;
  }
  draw();
}

function draw() {
  if (drawing || paused) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (paused) return;
    const atEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < 40;
    const fresh = document.createDocumentFragment();
    if (skipped) fresh.append(remark(skipped === 1 ? "1 row not shown" : `${skipped} rows not shown`));
    for (const { text, time, lost, source, notice, sent } of waiting) {
      if (lost) fresh.append(remark(`${lost} missing`));
      const clock = time.toLocaleTimeString([], { hour12: false }) + "." + String(time.getMilliseconds()).padStart(3, "0");
      const cells = sent !== undefined ? [["sent", `sent: ${sent}`]] : notice ? [["notice", notice]] : [["source", source], ["text", text]];
      fresh.append(row(["when", clock], ...cells));
    }
    waiting = [];
    skipped = 0;
    rows.append(fresh);
    while (rows.childElementCount > MOST_ROWS) rows.firstElementChild.remove();
    if (atEnd) rows.scrollTop = rows.scrollHeight;
  });
}

function row(...cells) {
  const item = document.createElement("li");
  for (const [kind, text] of cells) {
    if (!text) continue;
    const cell = document.createElement("span");
    cell.className = kind;
    cell.textContent = text;
    item.append(cell);
  }
  return item;
}

const remark = (text) => row(["gap", text]);

// Devices speak in bursts, often once a second: a shorter span would show the gaps between them.
const counts = [{ at: performance.now(), count: 0 }];
setInterval(() => {
  const now = performance.now();
  while (counts.length > 1 && counts[1].at <= now - RATE_SPAN) counts.shift();
  const rate = (count - counts[0].count) * 1000 / Math.max(now - counts[0].at, LEAST_SPAN);
  counts.push({ at: now, count });
  by("rate").textContent = rate.toLocaleString([], { maximumFractionDigits: rate < 10 ? 1 : 0 });
  by("count").textContent = count.toLocaleString();
  by("gaps").textContent = numbered ? missing.toLocaleString() : "unknown";
}, 500);

by("pause").onclick = () => {
  paused = !paused;
  by("pause").setAttribute("aria-pressed", String(paused));
  by("pause").textContent = paused ? "Resume" : "Pause";
  draw();
};
by("clear").onclick = () => { rows.replaceChildren(); waiting = []; skipped = 0; };
by("form").onsubmit = (event) => {
  event.preventDefault();
  const line = by("line").value;
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(codec === "json" ? JSON.stringify({ text: line }) : line);
  by("line").value = "";
  show({ time: new Date(), sent: visible(line) });
};
connect();
