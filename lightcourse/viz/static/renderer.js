// renderer.js draws every lightcourse scene. Python computes the tables and marks (viz/scene.py);
// this file looks values up, moves marks from state to state, and listens. It holds no formula.
// The same file serves notebooks (mountInline), stand-alone pages (mountPage) and anywidget.

const NS = "http://www.w3.org/2000/svg";
const SPEEDS = [1, 2, 0.5];
const KEYS = "Space play · ← → Home End steps · 1–9 choose · Tab into the picture, arrows and Enter " +
  "there · R reset · T theme · P PNG, Shift+P SVG · F full screen";
const NUMBERS = {
  rect: ["x", "y", "width", "height", "rx"], text: ["x", "y", "font-size"],
  circle: ["cx", "cy", "r"], line: ["x1", "y1", "x2", "y2"],
  image: ["x", "y", "width", "height"], path: [],
};
const WORDS = { text: ["text-anchor", "font-weight"], path: ["d"] };
const COMMON = ["fill", "stroke", "opacity", "stroke-width", "stroke-dasharray"];

// ---- 1. Look-ups: the twins of resolve, clamp, frame in scene.py --------------------------------

const isLookup = (value) => value?.t !== undefined;
const isJoin = (value) => value?.j !== undefined;

function resolve(value, spec, state) {
  if (isJoin(value)) return value.j.map((part) => resolve(part, spec, state)).join("");
  if (!isLookup(value)) return value;
  const index = (key) => (typeof key === "number" ? key : state[key] ?? resolve(spec.derive[key], spec, state));
  return value.k.reduce((found, key) => found[index(key)], spec.tables[value.t]);
}

const count = (param, spec, state) => param.options?.length ?? resolve(param.n, spec, state);

function clamp(spec, state) {
  const full = {};
  for (const p of spec.params) full[p.name] = Math.trunc(state[p.name] ?? p.value ?? 0);
  for (const p of spec.params) {
    full[p.name] = Math.max(0, Math.min(count(p, spec, full) - 1, full[p.name]));
  }
  return full;
}

function frame(spec, given) {
  const state = { ...given }; // derived keys once, not for every mark
  for (const [name, value] of Object.entries(spec.derive ?? {})) state[name] = resolve(value, spec, state);
  return spec.marks.map((mark) => {
    const shown = { id: mark.id, t: mark.t };
    for (const name of [...NUMBERS[mark.t], ...(WORDS[mark.t] ?? []), ...COMMON]) {
      if (name in mark) shown[name] = resolve(mark[name], spec, state);
    }
    if (mark.t === "text") shown.s = String(resolve(mark.s, spec, state));
    if (mark.t === "image") shown.href = spec.pool[resolve(mark.href, spec, state)];
    return shown;
  });
}

// A deep link: #net=fast&layer=5&theme=dark&hide=controls,text&play=1&ask=1
function parseHash(spec, hash) {
  const state = {}, page = {};
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const param = spec.params.find((p) => p.name === key);
    if (param) state[key] = indexOf(param.options ?? [], text);
    else page[key] = text;
  }
  return { state, page };
}

function indexOf(options, text) { // an option's name, its unique beginning, or an index
  if (options.includes(text)) return options.indexOf(text);
  const low = text.toLowerCase();
  const near = options.filter((name) => low && name.toLowerCase().startsWith(low));
  return near.length === 1 ? options.indexOf(near[0]) : Math.trunc(text) || 0;
}

function toHash(spec, state, page = {}) {
  const ours = spec.params.map((p) => [p.name, p.options ? p.options[state[p.name]] : state[p.name]]);
  return "#" + new URLSearchParams([...ours, ...Object.entries(page)]);
}

// ---- 2. Small tools -----------------------------------------------------------------------------

const ICONS = {
  play: "M4 2l10 6-10 6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
  prev: "M12 2L5 8l7 6zM3 2h2v12H3z", next: "M4 2l7 6-7 6zM11 2h2v12h-2z",
  reset: "M8 2.5a5.5 5.5 0 1 1-5.3 4h1.9A3.7 3.7 0 1 0 8 4.3V7L3.8 3.5 8 0z",
  theme: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.7v10.6A5.3 5.3 0 0 1 8 2.7z",
  full: "M1 1h5v2H3v3H1zM10 1h5v5h-2V3h-3zM1 10h2v3h3v2H1zM13 10h2v5h-5v-2h3z",
};

function make(tag, attributes = {}, ...children) {
  const svg = tag === "svg" || tag in NUMBERS;
  const node = svg ? document.createElementNS(NS, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const icon = (name) => make("svg", { viewBox: "0 0 16 16", class: "lc-icon", "aria-hidden": "true" },
  make("path", { d: ICONS[name], fill: "currentColor", "fill-rule": "evenodd" }));

function rich(node, text) { // **bold** without innerHTML
  node.replaceChildren(...String(text).split("**").map((s, i) => (i % 2 ? make("b", {}, s) : s)));
}

function longest(value, spec) { // the longest text a look-up can give: reserves its room
  if (isJoin(value)) return value.j.map((part) => longest(part, spec)).join("");
  const leaves = isLookup(value) ? spec.tables[value.t] : value;
  return [leaves].flat(Infinity).map(String).reduce((a, b) => (b.length > a.length ? b : a), "");
}

const paint = (value) =>
  !value || value === "none" ? "none" : value[0] === "#" ? value : `var(--lc-${value})`;

const ease = (u) => (u < 0.5 ? 4 * u ** 3 : 1 - (2 - 2 * u) ** 3 / 2);

function hostTheme() { // JupyterLab, VS Code, Colab and friends, else the system
  const { body, documentElement: html } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  const code = body.dataset.vscodeThemeKind;
  if (code) return /dark|high-contrast$/.test(code) ? "dark" : "light";
  const said = html.getAttribute("theme") ?? html.dataset.theme;
  if (said === "dark" || said === "light") return said;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// ---- 3. The view --------------------------------------------------------------------------------

class View {
  constructor(root, payload, options) {
    const { spec } = payload;
    if (spec.v !== 1) throw new Error("it was made by another version of lightcourse");
    Object.assign(this, { root, spec, options, page: options.page ?? {} });
    this.forced = this.page.theme || payload.theme || "";
    this.closed = Boolean(spec.ask && (payload.asks || this.page.ask === "1"));
    this.start = this.limit(clamp(spec, { ...payload.state, ...options.state }));
    this.state = { ...this.start };
    this.timeline = spec.params.find((p) => p.kind === "step");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.ending = new AbortController();
    this.refresh = []; // one function per part that shows the state
    this.speed = 1;
    this.lit = -1;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(payload.css);
    root.adoptedStyleSheets = [sheet];
    this.build();
    this.followTheme();
    this.listen();
    this.draw(false);
    if (this.page.play === "1" && this.timeline && !this.calm.matches) this.play();
  }

  now(value) { // a value of the specification in the present state
    return resolve(value, this.spec, this.state);
  }

  on(target, type, handler) {
    target.addEventListener(type, handler, { signal: this.ending.signal });
  }

  build() {
    const { spec } = this;
    this.box = make("section", { class: "lc", tabindex: "0", role: "group", "aria-label": spec.title });
    this.grow(false);
    this.box.style.setProperty("--lc-ratio", spec.size[1] / spec.size[0]);
    this.tip = make("div", { class: "lc-tip", "aria-hidden": "true" });
    const parts = { title: this.buildHead(), controls: this.buildControls(), stage: this.buildStage(),
      warn: this.buildWarning(), text: this.buildCaption(), ask: this.buildAsk(), code: this.buildCode() };
    for (const name of this.page.hide?.split(",") ?? []) parts[name]?.classList.add("lc-gone");
    this.box.append(...Object.values(parts).filter(Boolean), this.tip);
    this.root.append(this.box);
  }

  button(sign, label, key, act) { // `sign` is an icon's name, or what the button says
    const node = this.press("lc-button", sign in ICONS ? icon(sign) : sign, act);
    this.name(node, `${label} (${key})`);
    return node;
  }

  press(kind, content, act) {
    const node = make("button", { type: "button", class: kind }, content);
    this.on(node, "click", act);
    return node;
  }

  name(node, label) {
    node.setAttribute("aria-label", label);
    node.title = label;
  }

  buildHead() {
    const { spec } = this;
    const keys = make("p", { class: "lc-keys", hidden: "" }, KEYS);
    const help = this.button("?", "Keys", "?", () => this.toggleKeys());
    this.toggleKeys = () => help.setAttribute("aria-expanded", !(keys.hidden = !keys.hidden));
    help.setAttribute("aria-expanded", false);
    const tools = make("div", { class: "lc-tools" }, help,
      this.button("reset", "Reset", "R", () => this.reset()),
      this.button("theme", "Light or dark", "T", () => this.flip()),
      this.button("PNG", "Save as PNG", "P", () => this.save("png")),
      this.button("SVG", "Save as SVG", "Shift+P", () => this.save("svg")),
      this.button("full", "Full screen", "F", () => this.fullScreen()));
    const heading = make(this.options.page ? "h1" : "h3", { class: "lc-title" }, spec.title);
    const words = make("div", {}, heading, make("p", { class: "lc-sub" }, spec.subtitle ?? ""));
    return make("header", { class: "lc-head" }, words, tools, keys);
  }

  // A block whose room is that of its longest text, so that nothing below ever moves.
  reserve(kind, text, attributes) {
    const live = make("div", attributes), ghost = make("div", { class: "lc-ghost", "aria-hidden": "true" });
    rich(ghost, text);
    return [make("div", { class: `lc-fixed ${kind}` }, ghost, live), live];
  }

  buildCaption() {
    const { spec } = this;
    const room = spec.room ?? longest(spec.caption, spec);
    const [block, live] = this.reserve("lc-caption", room, { "aria-live": "polite" });
    this.refresh.push(() => {
      const text = String(this.now(spec.caption));
      rich(live, text);
      this.svg.setAttribute("aria-label", `${spec.alt}. ${text.replaceAll("**", "")}`);
    });
    return block;
  }

  buildWarning() {
    const { spec } = this;
    if (!spec.warn) return null;
    const [block, live] = this.reserve("lc-warn", longest(spec.warn, spec), { role: "status" });
    this.refresh.push(() => {
      const why = String(this.now(spec.warn));
      rich(live, why);
      live.hidden = !why;
      this.box.classList.toggle("lc-invalid", Boolean(why));
    });
    return block;
  }

  buildCode() {
    const { spec } = this;
    if (!spec.code) return null;
    const code = make("code");
    const copy = this.press("lc-copy", "Copy", async () => {
      getSelection().selectAllChildren(code); // where the clipboard is closed, Ctrl+C remains
      const done = navigator.clipboard?.writeText(code.textContent) ?? Promise.reject();
      copy.textContent = await done.then(() => "Copied", () => "Press Ctrl+C");
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
    this.refresh.push(() => (code.textContent = this.now(spec.code)));
    const pre = make("pre", { tabindex: "0", "aria-label": "PyTorch code" }, code);
    const summary = make("summary", {}, "PyTorch code for this state");
    return make("details", { class: "lc-code" }, summary, make("div", {}, pre, copy));
  }

  // ---- 4. Controls ------------------------------------------------------------------------------

  buildControls() {
    const row = make("div", { class: "lc-controls", role: "group", "aria-label": "Controls" });
    for (const param of this.spec.params) {
      if (param.kind === "select") row.append(this.buildChoice(param));
      else if (param.kind !== "xy") row.append(this.buildSlider(param)); // xy: by dragging a mark
    }
    return row;
  }

  buildChoice(param) {
    const buttons = param.options.map((option, i) => {
      const node = this.press("lc-option", option, () => this.set({ [param.name]: i }));
      node.setAttribute("role", "radio");
      node.title = param.hints?.[i] ?? "";
      return node;
    });
    const group = make("span", { class: "lc-choice", role: "radiogroup", "aria-label": param.label }, ...buttons);
    this.on(group, "keydown", (e) => {
      const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
      if (!move) return;
      e.preventDefault();
      e.stopPropagation();
      this.set({ [param.name]: (this.state[param.name] + move + buttons.length) % buttons.length });
      buttons[this.state[param.name]].focus();
    });
    this.refresh.push(() => buttons.forEach((node, i) => {
      const chosen = i === this.state[param.name];
      node.setAttribute("aria-checked", chosen);
      node.tabIndex = chosen ? 0 : -1;
    }));
    return this.labelled(param, group);
  }

  labelled({ label }, ...parts) {
    return make("div", { class: "lc-control" }, make("span", { "aria-hidden": "true" }, label), ...parts);
  }

  buildSlider(param) {
    const { spec } = this;
    const slider = make("input", { type: "range", min: 0, "aria-label": param.label, "data-param": param.name });
    const shown = make("output");
    const widest = param.labels ? longest(param.labels, spec).length : 3;
    shown.style.minWidth = `${Math.min(widest, 24)}ch`;
    this.on(slider, "input", () => {
      this.stop();
      this.set({ [param.name]: Number(slider.value) }, { smooth: false });
      slider.value = this.state[param.name];
    });
    this.refresh.push(() => {
      const n = count(param, spec, this.state);
      slider.max = n - 1;
      slider.value = this.state[param.name];
      slider.disabled = n < 2 || Boolean(this.now(param.off ?? 0));
      shown.textContent = param.labels ? this.now(param.labels) : this.state[param.name];
      slider.setAttribute("aria-valuetext", shown.textContent);
    });
    const control = this.labelled(param, slider, shown);
    if (param === this.timeline) control.prepend(this.buildPlayer());
    return control;
  }

  buildPlayer() {
    const step = (by) => () => this.step(by);
    this.player = this.button("play", "Play", "Space", () => this.toggle());
    this.player.classList.add("lc-play");
    const pace = this.press("lc-button lc-pace", "1×", () => {
      this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
      pace.textContent = `${this.speed}×`;
      this.name(pace, `Speed ${this.speed}×`);
    });
    this.name(pace, "Speed 1×");
    return make("span", { class: "lc-player" }, this.button("prev", "Previous step", "←", step(-1)),
      this.player, this.button("next", "Next step", "→", step(1)), pace);
  }

  // ---- 5. State: set, step, play, predict -------------------------------------------------------

  limit(state) { // while the question is open, its later steps are closed
    const { ask } = this.spec;
    if (!this.closed || state[ask.param] < ask.from) return state;
    return { ...state, [ask.param]: ask.from - 1 };
  }

  set(patch, { smooth = true, quiet = false } = {}) {
    const wanted = clamp(this.spec, { ...this.state, ...patch });
    this.state = this.limit(wanted);
    if (this.state !== wanted) this.nudge();
    this.draw(smooth);
    if (!quiet) this.options.onState?.({ ...this.state });
  }

  step(by) {
    if (!this.timeline) return;
    this.stop();
    this.set({ [this.timeline.name]: this.state[this.timeline.name] + by });
  }

  reset() {
    this.stop();
    if (this.question) this.question(true);
    this.set(this.start);
  }

  toggle() {
    if (this.timer) this.stop();
    else this.play();
  }

  play() {
    const { name, play = 1100, loop } = this.timeline;
    const last = () => this.state[name] >= count(this.timeline, this.spec, this.state) - 1;
    const moving = this.spec.dur + Math.max(0, ...this.spec.marks.map((m) => m.delay ?? 0));
    const advance = () => {
      this.timer = setTimeout(advance, Math.max(play, moving + 150) / this.speed);
      if (this.held) return; // the pointer rests on a linked mark: look, then go on
      if (last() && !loop) return this.stop();
      this.set({ [name]: last() ? 0 : this.state[name] + 1 });
    };
    this.showPlaying(true);
    if (last()) this.set({ [name]: 0 }, { smooth: false });
    this.timer = setTimeout(advance, 300 / this.speed);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.showPlaying(false);
  }

  showPlaying(yes) {
    if (!this.player || this.box.classList.contains("lc-playing") === yes) return;
    this.box.classList.toggle("lc-playing", yes);
    this.player.replaceChildren(icon(yes ? "pause" : "play"));
    this.name(this.player, yes ? "Pause (Space)" : "Play (Space)");
  }

  buildAsk() {
    const { ask } = this.spec;
    if (!this.closed) return null;
    const replies = ask.replies.map((text) => `Not quite. ${text}`);
    const reply = this.reserve("lc-reply", longest(replies), { "aria-live": "polite" });
    const buttons = ask.options.map((option, i) => this.press("lc-answer", option, () => choose(i)));
    const choose = (i) => {
      const open = { ...this.state, [ask.param]: ask.from };
      const right = resolve(ask.answer, this.spec, clamp(this.spec, open));
      this.closed = false;
      buttons.forEach((node, j) => {
        node.disabled = true;
        node.dataset.mark = j === right ? "right" : j === i ? "wrong" : "other";
      });
      rich(reply[1], `**${i === right ? "Right." : "Not quite."}** ${ask.replies[i]}`);
      this.box.focus({ preventScroll: true });
      this.set({ [ask.param]: ask.from });
    };
    this.question = (again) => {
      this.closed = again;
      buttons.forEach((node) => { node.disabled = false; delete node.dataset.mark; });
      reply[1].replaceChildren();
    };
    const question = make("p", { class: "lc-question" });
    rich(question, `**Predict first.** ${ask.q}`);
    this.asking = make("div", { class: "lc-ask", role: "group", "aria-label": "Predict first" },
      question, make("div", { class: "lc-answers" }, ...buttons), reply[0]);
    return this.asking;
  }

  nudge() {
    this.stop();
    this.asking.classList.remove("lc-nudge");
    requestAnimationFrame(() => this.asking.classList.add("lc-nudge"));
  }

  // ---- 6. Drawing -------------------------------------------------------------------------------

  buildStage() {
    const { spec } = this;
    this.svg = make("svg", { viewBox: `0 0 ${spec.size.join(" ")}`, role: "group", class: "lc-svg" });
    this.nodes = spec.marks.map((mark) => {
      const node = make(mark.t, { "data-id": mark.id });
      if (this.reachable(mark)) node.setAttribute("role", mark.set ? "button" : "img");
      else node.setAttribute("aria-hidden", "true");
      if (mark.t === "image") node.setAttribute("preserveAspectRatio", "none");
      if (mark.t === "image" && !mark.smooth) node.classList.add("lc-pixels");
      if (mark.drag) { node.classList.add("lc-drag"); node.tabIndex = 0; }
      if (mark.set) node.classList.add("lc-set");
      if (mark.pe === 0) node.classList.add("lc-through");
      return node;
    });
    this.svg.append(...this.nodes);
    return make("div", { class: "lc-stage" }, this.svg);
  }

  reachable({ set, tip, label, drag }) {
    return Boolean(set || drag || tip !== undefined || label !== undefined);
  }

  put(i, name, value) {
    const node = this.nodes[i];
    if (name === "s") node.textContent = value;
    else if (name === "fill" || name === "stroke") node.style[name] = paint(value);
    else node.setAttribute(name, value);
    if (name === "opacity") node.style.visibility = value === 0 ? "hidden" : "";
  }

  draw(smooth) {
    cancelAnimationFrame(this.ticket);
    const { spec, shown } = this, next = frame(spec, this.state);
    for (const part of this.refresh) part();
    this.box.dataset.state = JSON.stringify(this.state);
    const tween = Boolean(smooth && shown && spec.dur && !this.calm.matches);
    this.svg.classList.toggle("lc-moving", tween);
    const moves = [];
    this.shown = next.map((mark, i) => {
      const now = { ...mark };
      for (const name in mark) {
        const old = shown?.[i][name];
        if (name === "id" || name === "t" || old === mark[name]) continue;
        const number = name === "opacity" || NUMBERS[mark.t].includes(name);
        if (tween && number && typeof old === "number") {
          moves.push({ i, name, from: old, to: mark[name] });
          now[name] = old;
        } else this.put(i, name, mark[name]);
      }
      return now;
    });
    this.nameMarks();
    if (this.lit >= 0) this.light(this.lit);
    if (moves.length) this.tween(moves);
    else this.settle();
  }

  tween(moves) {
    const { spec } = this, began = performance.now(), dur = spec.dur / this.speed;
    const tick = (now) => {
      let done = true;
      for (const { i, name, from, to } of moves) {
        const late = (spec.marks[i].delay ?? 0) / this.speed;
        const u = Math.max(0, Math.min(1, (now - began - late) / dur));
        const value = u === 1 ? to : from + (to - from) * ease(u);
        if (value !== this.shown[i][name]) this.put(i, name, (this.shown[i][name] = value));
        done &&= u === 1;
      }
      if (done) this.settle();
      else this.ticket = requestAnimationFrame(tick);
    };
    this.ticket = requestAnimationFrame(tick);
  }

  settle() {
    this.box.dataset.settled = this.box.dataset.state;
  }

  nameMarks() {
    const { spec, state, nodes } = this;
    let home = -1;
    spec.marks.forEach((mark, i) => {
      if (!this.reachable(mark)) return;
      const label = String(this.now(mark.label ?? mark.tip ?? mark.s ?? mark.id));
      const text = mark.drag ? `${label}. Arrow keys move it` : label;
      if (nodes[i].getAttribute("aria-label") !== text) nodes[i].setAttribute("aria-label", text);
      if (mark.drag) return;
      if (i === this.roving || home < 0) home = this.visible(i) ? i : home;
    });
    if (home !== this.roving) this.rove(home);
  }

  visible(i) {
    const opacity = this.spec.marks[i].opacity ?? 1;
    return this.now(opacity) > 0;
  }

  rove(i) { // one mark at a time is a tab stop
    if (this.roving >= 0) this.nodes[this.roving].tabIndex = -1;
    this.roving = i;
    if (i >= 0) this.nodes[i].tabIndex = 0;
  }

  // ---- 7. Keys and pointer ----------------------------------------------------------------------

  listen() {
    const { box, svg, nodes, spec } = this;
    this.on(box, "keydown", (e) => this.key(e));
    this.on(svg, "pointermove", (e) => { this.drag(e); this.placeTip(e.clientX, e.clientY); });
    this.on(svg, "pointerup", () => this.drop());
    this.on(svg, "pointercancel", () => this.drop());
    nodes.forEach((node, i) => {
      const mark = spec.marks[i];
      if (mark.drag) this.on(node, "pointerdown", (e) => this.grab(e, mark));
      if (mark.set) this.on(node, "click", () => { this.stop(); this.set(mark.set); });
      if (mark.link === undefined && !this.reachable(mark)) return;
      this.on(node, "pointerenter", (e) => {
        this.held = e.pointerType === "mouse" && !mark.drag;
        this.light(i);
      });
      this.on(node, "pointerleave", () => this.unlight());
      this.on(node, "focus", () => {
        if (!mark.drag) this.rove(i);
        if (!node.matches(":focus-visible")) return;
        const r = node.getBoundingClientRect();
        this.light(i);
        this.placeTip(r.right - 8, r.bottom - 8);
      });
      this.on(node, "blur", () => this.unlight());
    });
    this.on(document, "pointerdown", (e) => { // JupyterLab would leave the focus with us
      if (!e.composedPath().includes(box)) this.root.activeElement?.blur();
    });
    this.on(document, "fullscreenchange", () => this.grow(this.root.fullscreenElement === box));
    this.watcher = new IntersectionObserver(([seen]) => seen.isIntersecting || this.stop());
    this.watcher.observe(box); // no work when scrolled away
  }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    e.stopPropagation(); // a notebook must not take our keys for commands
    const { target, key } = e;
    const i = this.nodes.indexOf(target);
    const act = (i >= 0 && this.markKey(i, e)) || this.sceneKey(key, target);
    if (!act) return;
    e.preventDefault();
    act();
  }

  sceneKey(key, target) {
    if (target.matches("button, summary") && (key === " " || key === "Enter")) return null;
    const go = (to) => this.timeline && (() => { this.stop(); this.set({ [this.timeline.name]: to }); });
    const slider = target.matches("input, pre");
    const moves = slider ? {} : {
      ArrowRight: () => this.step(1), PageDown: () => this.step(1),
      ArrowLeft: () => this.step(-1), PageUp: () => this.step(-1), Home: go(0), End: go(1e9),
    };
    const acts = {
      " ": this.timeline && (() => this.toggle()), r: () => this.reset(), t: () => this.flip(),
      p: () => this.save("png"), P: () => this.save("svg"), f: () => this.fullScreen(),
      "?": () => this.toggleKeys(), Escape: this.box.matches(".lc-cover") && (() => this.fullScreen()), ...moves,
    };
    if (/^[1-9]$/.test(key)) {
      const first = this.spec.params.find((p) => p.kind === "select");
      if (first && key <= first.options.length) return () => this.set({ [first.name]: key - 1 });
    }
    return acts[key] ?? acts[key.toLowerCase()];
  }

  markKey(i, { key, shiftKey }) {
    const mark = this.spec.marks[i], { drag, set } = mark;
    if (key === "Escape") return () => this.box.focus();
    if (set && (key === "Enter" || key === " ")) return () => { this.stop(); this.set(set); };
    const dx = { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0, dy = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0;
    if (!dx && !dy) return null;
    if (!drag) return () => this.focusNear(i, dx, dy);
    const by = shiftKey ? 8 : 1, patch = {};
    if (drag.x) patch[drag.x] = this.state[drag.x] + dx * by;
    if (drag.y) patch[drag.y] = this.state[drag.y] + dy * by;
    return () => this.set(patch, { smooth: false });
  }

  focusNear(i, dx, dy) { // the nearest reachable mark in that direction
    const middle = (j) => {
      const r = this.nodes[j].getBoundingClientRect();
      return [r.left + r.width / 2, r.top + r.height / 2];
    };
    const [x, y] = middle(i);
    let best = null, least = Infinity;
    this.spec.marks.forEach((mark, j) => {
      if (j === i || mark.drag || !this.reachable(mark) || !this.visible(j)) return;
      const [u, v] = middle(j), along = (u - x) * dx + (v - y) * dy;
      const across = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      if (along > 1 && along + 2 * across < least) { least = along + 2 * across; best = this.nodes[j]; }
    });
    best?.focus();
  }

  grab(e, { drag, set }) {
    this.dragging = drag;
    if (set) this.set(set, { smooth: false }); // no click comes while the pointer is captured
    this.svg.setPointerCapture(e.pointerId);
    this.stop();
    this.box.focus({ preventScroll: true });
    e.preventDefault();
    this.drag(e);
  }

  drag(e) {
    if (!this.dragging) return;
    const { x, y, x0 = 0, y0 = 0, cell } = this.dragging, patch = {};
    const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    const place = (px, zero) => Math.floor((px - this.now(zero)) / this.now(cell));
    if (x) patch[x] = place(at.x, x0);
    if (y) patch[y] = place(at.y, y0);
    this.set(patch, { smooth: false });
  }

  drop() {
    this.dragging = null;
  }

  light(i) { // the mark and all that share a link with it; the others fade
    this.lit = i;
    const { spec, state } = this, mark = spec.marks[i];
    const links = (m) => (m.link === undefined ? [] : [this.now(m.link)].flat());
    const ours = links(mark);
    this.nodes.forEach((node, j) => {
      const theirs = links(spec.marks[j]);
      const fade = ours.length && theirs.length && !theirs.some((l) => ours.includes(l));
      node.classList.toggle("lc-fade", Boolean(fade));
    });
    const text = mark.tip === undefined ? "" : String(this.now(mark.tip));
    this.tip.textContent = text;
    this.tip.classList.toggle("lc-on", Boolean(text));
  }

  unlight() {
    this.lit = -1;
    this.held = false;
    for (const node of this.nodes) node.classList.remove("lc-fade");
    this.tip.classList.remove("lc-on");
  }

  placeTip(x, y) {
    if (this.lit < 0) return;
    const r = this.box.getBoundingClientRect(), { offsetWidth: w, offsetHeight: h } = this.tip;
    this.tip.style.left = `${Math.max(4, Math.min(x - r.left + 14, r.width - w - 4))}px`;
    this.tip.style.top = `${y - r.top + 18 + h > r.height ? y - r.top - h - 8 : y - r.top + 18}px`;
  }

  // ---- 8. Theme, full screen, files -------------------------------------------------------------

  followTheme() {
    const apply = () => (this.box.dataset.theme = this.forced || hostTheme());
    this.setTheme = (theme) => { this.forced = theme; apply(); };
    apply();
    let host = hostTheme();
    const changed = () => {
      if (hostTheme() === host) return;
      host = hostTheme();
      this.setTheme(this.page.theme || ""); // the reader switched everything: go along
    };
    this.themes = new MutationObserver(changed);
    for (const node of [document.body, document.documentElement]) {
      this.themes.observe(node, { attributes: true });
    }
    this.on(matchMedia("(prefers-color-scheme: dark)"), "change", changed);
  }

  flip() {
    this.setTheme(this.box.dataset.theme === "dark" ? "light" : "dark");
  }

  fullScreen() { // where it is not allowed, fill the window
    const { box } = this, cover = () => this.grow(box.classList.toggle("lc-cover"));
    if (document.fullscreenElement) document.exitFullscreen();
    else if (box.matches(".lc-cover") || !box.requestFullscreen) cover();
    else box.requestFullscreen().catch(cover);
  }

  grow(yes) {
    this.box.classList.toggle("lc-big", yes || Boolean(this.options.page));
  }

  svgText() { // the picture alone, in the colours of the moment
    const { spec } = this, [width, height] = spec.size, style = getComputedStyle(this.box);
    const value = (name) => style.getPropertyValue(name).trim();
    const colour = (token) => paint(token).replace(/var\((.*)\)/, (_, name) => value(name));
    const picture = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": this.svg.getAttribute("aria-label"), "font-family": value("--lc-font") });
    picture.append(make("rect", { width, height, fill: colour("bg") }));
    this.frame().forEach(({ id, t, s = "", ...rest }, i) => {
      if (rest.opacity === 0) return;
      for (const name of ["fill", "stroke"]) if (name in rest) rest[name] = colour(rest[name]);
      if (t === "image") rest.preserveAspectRatio = "none";
      if (t === "image" && !spec.marks[i].smooth) rest["image-rendering"] = "pixelated";
      picture.append(make(t, rest, s));
    });
    return new XMLSerializer().serializeToString(picture);
  }

  async save(kind) {
    const text = this.svgText();
    let blob = new Blob([text], { type: "image/svg+xml" });
    if (kind === "png") {
      const picture = new Image(), canvas = document.createElement("canvas"), [w, h] = this.spec.size;
      picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
      await picture.decode();
      Object.assign(canvas, { width: 2 * w, height: 2 * h });
      canvas.getContext("2d").drawImage(picture, 0, 0, 2 * w, 2 * h);
      blob = await new Promise((done) => canvas.toBlob(done));
    }
    const link = make("a", { href: URL.createObjectURL(blob), download: `${this.spec.id}.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  frame() {
    return frame(this.spec, this.state);
  }

  destroy() {
    this.stop();
    cancelAnimationFrame(this.ticket);
    this.ending.abort();
    this.themes.disconnect();
    this.watcher.disconnect();
    this.box.remove();
  }
}

// ---- 9. Ways in ---------------------------------------------------------------------------------

function mountIn(host, payload, options) { // a shadow root keeps our style and the page's apart
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // events come from the host, for Lumino
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  try {
    return (host.lightcourse = new View(root, payload(), options));
  } catch (error) {
    const note = `This picture cannot be drawn: ${error.message}. Run the cell again.`;
    root.replaceChildren(make("p", { role: "alert" }, note), make("slot"));
    return null;
  }
}

// Notebook output: <div class=lightcourse-scene data-lc=KEY><img><script type=application/json>
function mountInline(key) {
  for (const host of document.querySelectorAll(`.lightcourse-scene[data-lc="${key}"]`)) {
    if (!host.shadowRoot) {
      mountIn(host, () => JSON.parse(host.querySelector("[type='application/json']").textContent), {});
    }
  }
}

function mountPage(host) {
  const payload = JSON.parse(document.getElementById("lc-data").textContent);
  const { state, page } = parseHash(payload.spec, location.hash);
  const onState = (now) => { // an <iframe srcdoc> has no address to write to
    if (location.protocol !== "about:") history.replaceState(null, "", toHash(payload.spec, now, page));
  };
  const view = mountIn(host, () => payload, { state, page, onState });
  addEventListener("hashchange", () => view?.set(parseHash(payload.spec, location.hash).state, { quiet: true }));
  view?.box.focus({ preventScroll: true });
}

function render({ model, el }) { // anywidget: `spec`, `state` and `theme` are synchronised
  const host = make("div", { class: "lightcourse-scene" });
  el.append(host);
  let view = null;
  const onState = (state) => { model.set("state", state); model.save_changes(); };
  const payload = () => ({ spec: model.get("spec"), state: model.get("state"), css: model.get("css"),
    theme: model.get("theme"), asks: model.get("asks") });
  const build = () => { view?.destroy(); view = mountIn(host, payload, { onState }); };
  const follow = () => {
    const wanted = model.get("state");
    if (JSON.stringify(wanted) !== JSON.stringify(view?.state)) view?.set(wanted, { quiet: true });
  };
  const changes = { "change:spec": build, "change:state": follow,
    "change:theme": () => view?.setTheme(model.get("theme")) };
  build();
  for (const [name, act] of Object.entries(changes)) model.on(name, act);
  return () => {
    for (const [name, act] of Object.entries(changes)) model.off(name, act);
    view?.destroy();
  };
}
export default { render };
