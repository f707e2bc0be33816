// Draws the playground and sends what is pressed. The network lives in Python (widget.py); a frame comes with four
// arrays: the large picture (64 x 64 bytes), those of the neurons (32 x 32 each), all weights and biases, the losses.

const SVG = "http://www.w3.org/2000/svg";
const BLUE = [63, 149, 199], ORANGE = [221, 132, 56]; // at outputs 1 and -1; white at 0
const ROW = 42, TOP = 70, PICTURE = 34;
const LABELS = {
  relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid", linear: "linear", none: "none", l1: "L1", l2: "L2",
  classification: "Classification", regression: "Regression", checkerboard: "checker", circle: "circle", gauss: "Gauss",
  spiral: "spiral", plane: "plane",
};

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  // JupyterLab's command mode would take the keys of whatever has the focus: arrows, Enter, letters
  if ("data-key" in attributes) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

function colour(level) { // 0 to 255
  const value = level / 127.5 - 1, end = value > 0 ? BLUE : ORANGE, part = Math.abs(value);
  return end.map((channel) => 255 + part * (channel - 255));
}

const PALETTE = Array.from({ length: 256 }, (_, level) => colour(level));

function paint(canvas, levels, size, discrete = false) {
  const context = canvas.getContext("2d"), image = context.createImageData(size, size);
  for (let n = 0; n < size * size; n++) {
    const [r, g, b] = PALETTE[discrete ? (levels[n] > 127 ? 255 : 0) : levels[n]];
    image.data.set([r, g, b, 255], 4 * n);
  }
  canvas.width = canvas.height = size;
  context.putImageData(image, 0, 0);
}

const number = (value, digits = 3) =>
  value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "\u2212");

const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(3)}`;

function formula(name) { // x1^2 as a person writes it
  const html = name.replace(/x([12])/g, "<i>x</i><sub>$1</sub>").replace("^2", "<sup>2</sup>").replace("*", "");
  const span = make("span");
  span.innerHTML = html;
  return span;
}

function render({ model, el }) {
  const choices = model.get("choices");
  let controls = model.get("controls");
  let points = { values: new Float32Array(0), train: 0 };
  let frame = null, inputs = null, thumbnails = {}, looked = null, spoken = 0, drawn = 0;
  const send = (kind, more = {}) => model.send({ kind, ...more });
  const change = (entries) => send("change", { entries });

  // --- controls --------------------------------------------------------------------------------------

  const selects = {};
  function select(name, label, options, act, show = (value) => LABELS[value] ?? String(value)) {
    const element = make("select", {
      "data-key": name, onchange: () => act(options[element.selectedIndex]),
    });
    selects[name] = { element, options, show };
    return make("label", { class: `dlp-${name}` }, label, element);
  }

  function setSelect(name, value) { // a value that is not in the list is put into it
    const entry = selects[name], { element, options, show } = entry;
    if (!options.includes(value)) {
      options.push(value);
      if (typeof value === "number") options.sort((a, b) => a - b);
    }
    if (element.options.length !== options.length) {
      element.replaceChildren(...options.map((option) => make("option", {}, show(option))));
    }
    element.selectedIndex = options.indexOf(value);
  }

  const play = make("button", { class: "dlp-play", "data-key": "play", onclick: () => send(model.get("running") ? "pause" : "play") });
  const epoch = make("output", {}, "0");
  const bar = make("div", { class: "dlp-bar", role: "toolbar", "aria-label": "training" },
    make("div", { class: "dlp-run" },
      make("button", { "data-key": "reset", title: "Begin again with other initial weights", onclick: () => send("reset") }, "\u21ba Reset"),
      play,
      make("button", { "data-key": "step", title: "Train for one epoch", onclick: () => send("step") }, "Step")),
    make("div", { class: "dlp-epoch" }, "Epoch", epoch), make("span", { class: "dlp-break" }),
    select("speed", "Epochs per s", [...choices.speeds], (value) => send("speed", { speed: value }), (value) => value ? String(value) : "no limit"),
    select("activation", "Activation", [...choices.activations], (value) => change({ activation: value })),
    select("learning_rate", "Learning rate", [...choices.learning_rates], (value) => change({ learning_rate: value })),
    select("batch_size", "Batch size", [...choices.batch_sizes], (value) => change({ batch_size: value })),
    select("regularization", "Regularisation", [...choices.regularizations], (value) => change(
      value === "none" ? { regularization: value, regularization_rate: 0 } : { regularization: value })),
    select("regularization_rate", "Its rate", [...choices.regularization_rates], (value) => change({ regularization_rate: value })),
    select("problem", "Problem", Object.keys(choices.datasets), (value) => change(
      { problem: value, dataset: choices.datasets[value][0] })));

  const sets = make("div", { class: "dlp-sets", role: "group", "aria-label": "data set" });
  function slider(name, label, low, high, step) {
    const shown = make("output"), input = make("input", {
      type: "range", min: low, max: high, step, "data-key": name,
      oninput: () => { shown.textContent = `${input.value} %`; },
      onchange: () => change({ [name]: Number(input.value) / 100 }),
    });
    return { element: make("label", {}, `${label} `, shown, input), set: (value) => {
      input.value = Math.round(100 * value);
      shown.textContent = `${Math.round(100 * value)} %`;
    } };
  }
  const noise = slider("noise", "Noise", 0, 50, 5), share = slider("test_share", "Test data", 10, 90, 10);
  const size = make("p", { class: "dlp-epoch" });
  const side = make("div", { class: "dlp-side" }, make("h4", {}, "Data"), sets, noise.element, share.element,
    make("button", { "data-key": "points", title: "Draw other points from the same distribution", onclick: () => change({ seed: controls.seed + 1 }) }, "Other points"), size);

  // --- the network -----------------------------------------------------------------------------------

  const network = make("div", { class: "dlp-network", role: "group", "aria-label": "network" });
  const lines = draw("svg", { "aria-hidden": "true" });
  const tip = make("div", { class: "dlp-tip", "aria-hidden": "true" });
  tip.style.display = "none";
  let links = [], neurons = [], featureButtons = {};

  function rebuild() {
    const focused = el.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const depth = controls.hidden.length;
    network.replaceChildren(lines, make("h4", {}, "Features"));
    network.append(make("div", { class: "dlp-layers" },
      make("button", { "data-key": "layers-", "aria-label": "remove the last hidden layer", ...(depth ? {} : { disabled: "" }), onclick: () => change({ hidden: controls.hidden.slice(0, -1) }) }, "\u2212"),
      `${depth} hidden layer${depth === 1 ? "" : "s"}`,
      make("button", { "data-key": "layers+", "aria-label": "add a hidden layer", ...(depth < choices.most_layers ? {} : { disabled: "" }), onclick: () => change({ hidden: [...controls.hidden, depth ? controls.hidden[depth - 1] : 4] }) }, "+")));
    featureButtons = {};
    choices.features.forEach((name, row) => {
      const on = controls.features.includes(name);
      const canvas = make("canvas");
      const button = make("button", {
        class: "dlp-feature", "data-key": `feature ${name}`, "aria-pressed": String(on), "aria-label": `feature ${name}`,
        onclick: () => {
          const features = choices.features.filter((other) => controls.features.includes(other) !== (other === name));
          if (features.length) change({ features });
          else say("At least one feature is needed.");
        },
      }, formula(name), make("span", { class: "picture" }, canvas));
      button.style.top = `${TOP + row * ROW}px`;
      featureButtons[name] = canvas;
      if (inputs) paint(canvas, inputs.subarray(row * 1024, (row + 1) * 1024), 32);
      network.append(button);
    });
    neurons = controls.hidden.map((count, layer) => {
      const column = make("div", { class: "dlp-column", role: "group", "aria-label": `hidden layer ${layer + 1}` });
      const set = (by) => change({ hidden: controls.hidden.map((n, l) => (l === layer ? n + by : n)) });
      column.append(make("div", { class: "dlp-head" },
        make("button", { "data-key": `neurons- ${layer}`, "aria-label": `remove a neuron from layer ${layer + 1}`, ...(count > 1 ? {} : { disabled: "" }), onclick: () => set(-1) }, "\u2212"),
        make("button", { "data-key": `neurons+ ${layer}`, "aria-label": `add a neuron to layer ${layer + 1}`, ...(count < choices.most_neurons ? {} : { disabled: "" }), onclick: () => set(1) }, "+")));
      column.append(make("div", { class: "dlp-count" }, `${count} neuron${count === 1 ? "" : "s"}`));
      network.append(column);
      return Array.from({ length: count }, (_, row) => {
        const canvas = make("canvas");
        const show = () => look(layer, row), hide = () => look(null);
        const node = make("div", { class: "dlp-neuron", tabindex: "0", role: "img", "data-key": `neuron ${layer} ${row}`, onpointerenter: show, onpointerleave: hide, onfocus: show, onblur: hide }, canvas);
        node.style.left = "5px";
        node.style.top = `${TOP + 2 + row * ROW}px`;
        column.append(node);
        return { node, canvas, column };
      });
    });
    lay();
    if (focused) {
      const again = [...el.querySelectorAll("[data-key]")].find((node) => node.dataset.key === focused);
      (again && !again.disabled ? again : el.querySelector(`[data-key="layers+"]`)).focus({ preventScroll: true });
    }
  }

  function lay() { // places columns and lines for the present width
    const width = network.clientWidth || 460, depth = controls.hidden.length;
    const gap = (width - 92 - 6) / (depth + 1);
    const x = controls.hidden.map((_, layer) => 92 + gap * (layer + 1) - 22);
    neurons.forEach((layer, l) => layer.forEach(({ column }) => { column.style.left = `${x[l]}px`; }));
    const middle = (row) => TOP + 19 + row * ROW;
    const sources = [controls.features.map((name) => ({ x: 91, y: middle(choices.features.indexOf(name)), name }))];
    controls.hidden.forEach((count, l) => sources.push(Array.from({ length: count }, (_, row) => (
      { x: x[l] + 5 + PICTURE, y: middle(row), name: `neuron ${row + 1} of layer ${l + 1}` }))));
    const targets = [...sources.slice(1).map((layer, l) => layer.map((node) => ({ ...node, x: x[l] + 5 }))), [{ x: width + 14, y: outputHeight(), name: "the output" }]];
    lines.replaceChildren();
    links = [];
    let offset = 0;
    targets.forEach((layer, l) => {
      sources[l].forEach((from, i) => layer.forEach((to, j) => {
        const bend = Math.max(12, (to.x - from.x) / 2);
        const d = `M${from.x},${from.y}C${from.x + bend},${from.y} ${to.x - bend},${to.y} ${to.x},${to.y}`;
        const line = draw("path", { class: "line", d }), hit = draw("path", { class: "hit", d });
        const link = { line, place: offset + i * layer.length + j, from: from.name, to: to.name };
        hit.addEventListener("pointermove", (event) => {
          const box = root.getBoundingClientRect();
          if (frame) tell(`weight from ${link.from} to ${link.to}: ${signed(frame.weights[link.place])}`, event.clientX - box.left + 12, event.clientY - box.top + 10);
        });
        hit.addEventListener("pointerleave", () => tell(null));
        links.push(link);
        lines.append(line, hit);
      }));
      offset += (sources[l].length + 1) * layer.length;
    });
    if (frame) drawWeights();
  }

  function outputHeight() { // of the middle of the large picture
    const box = picture.getBoundingClientRect();
    return box.height ? Math.min(390, Math.max(90, box.top + box.height / 2 - network.getBoundingClientRect().top)) : 268;
  }

  function drawWeights() {
    for (const { line, place } of links) {
      const weight = frame.weights[place] ?? 0, wide = Math.min(9, 0.6 + 2.6 * Math.sqrt(Math.abs(weight)));
      line.setAttribute("class", `line ${weight < 0 ? "dlp-negative" : "dlp-positive"}`);
      line.setAttribute("stroke-width", weight === 0 ? 0 : wide.toFixed(2));
      line.setAttribute("stroke-opacity", Math.min(0.95, 0.25 + 0.5 * Math.abs(weight)).toFixed(2));
      line.setAttribute("stroke-dasharray", weight < 0 ? `${(3 + wide).toFixed(1)} ${(1.5 + wide / 3).toFixed(1)}` : "none");
    }
  }

  function tell(text, x = 0, y = 0) {
    tip.style.display = text ? "block" : "none";
    if (text) {
      tip.textContent = text;
      tip.style.left = `${Math.min(x, root.clientWidth - 250)}px`;
      tip.style.top = `${y}px`;
    }
  }

  function look(layer, row) { // a neuron in the large picture, its weights in a note
    looked = layer === null ? null : { layer, row };
    tell(null);
    if (looked && frame) {
      const text = weightsOf(layer, row), { node } = neurons[layer][row];
      node.setAttribute("aria-label", text.replaceAll("\n", ", "));
      const box = el.getBoundingClientRect(), place = node.getBoundingClientRect();
      tell(text, place.right - box.left + 8, place.bottom - box.top + 4);
    }
    drawPicture();
  }

  function weightsOf(layer, row) {
    const names = layer ? controls.hidden.slice(0, layer)[layer - 1] : controls.features.length;
    const count = controls.hidden[layer];
    let offset = 0, before = controls.features.length;
    for (let l = 0; l < layer; l++) { offset += (before + 1) * controls.hidden[l]; before = controls.hidden[l]; }
    const rows = Array.from({ length: names }, (_, i) =>
      `${layer ? `neuron ${i + 1}` : controls.features[i]}: ${signed(frame.weights[offset + i * count + row])}`);
    return [`neuron ${row + 1} of layer ${layer + 1}`, ...rows, `bias: ${signed(frame.weights[offset + before * count + row])}`].join("\n");
  }

  // --- the output ------------------------------------------------------------------------------------

  const picture = make("canvas", { width: 488, height: 488, role: "img" });
  const raster = document.createElement("canvas");
  const caption = make("h4", {}, "Output");
  const [testLoss, trainLoss, right] = ["test loss", "training loss", "right"].map((name) => make("output", { "data-key": name }, "–"));
  const key = (kind) => { const svg = draw("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" }); svg.append(draw("line", { class: kind, x1: 0, x2: 26, y1: 4, y2: 4, "stroke-width": 2.2 })); return svg; };
  const curves = draw("svg", { class: "dlp-curves", viewBox: "0 0 260 76", preserveAspectRatio: "none", role: "img", "aria-label": "loss curves" });
  const baseline = draw("line", { x1: 0, x2: 260 }), trainCurve = draw("path", { class: "train" }), testCurve = draw("path", { class: "test" });
  curves.append(baseline, trainCurve, testCurve);
  const showTest = make("input", { type: "checkbox", "data-key": "show test", onchange: drawPicture });
  const discrete = make("input", { type: "checkbox", "data-key": "discretise", onchange: drawPicture });
  const mark = (text, style) => { const span = make("span", { "aria-hidden": "true" }, text); Object.assign(span.style, style); return span; };
  const output = make("div", { class: "dlp-output" },
    make("h4", {}, "Loss"),
    make("div", { class: "dlp-losses" },
      key("test"), make("span", {}, "test"), testLoss,
      key("train"), make("span", {}, "training"), trainLoss,
      make("span"), make("span", {}, "test points right"), right),
    curves, caption,
    make("div", { class: "dlp-plot" }, picture,
      mark("6", { left: "8px", top: "-2px" }), mark("0", { left: "8px", top: "calc(50% - 15px)" }), mark("\u22126", { left: "2px", bottom: "14px" }),
      mark("\u22126", { left: "16px", bottom: "0" }), mark("0", { left: "calc(50% + 6px)", bottom: "0" }), mark("6", { right: "0", bottom: "0" })),
    make("div", { class: "dlp-scale", "aria-hidden": "true" }, "\u22121", make("div"), "1"),
    make("div", { class: "dlp-checks" }, make("label", {}, showTest, "show test points"), make("label", {}, discrete, "sign only")));

  function drawPicture() {
    if (!frame) return;
    const context = picture.getContext("2d"), side = 488, place = looked && neurons[looked.layer]?.[looked.row];
    if (place) {
      const before = controls.hidden.slice(0, looked.layer).reduce((sum, n) => sum + n, 0) + looked.row;
      paint(raster, frame.hidden.subarray(before * 1024, (before + 1) * 1024), 32);
    } else paint(raster, frame.picture, 64, discrete.checked);
    caption.textContent = place ? `Output of neuron ${looked.row + 1} of layer ${looked.layer + 1}` : "Output of the network";
    context.imageSmoothingEnabled = !discrete.checked || Boolean(place);
    context.drawImage(raster, 0, 0, side, side);
    const at = (value) => (value / 6 + 1) * side / 2;
    const total = points.values.length / 3;
    context.lineWidth = 1;
    for (let n = 0; n < (showTest.checked ? total : points.train); n++) {
      const [x, y, label] = points.values.subarray(3 * n, 3 * n + 3);
      const strong = PALETTE[Math.round(127.5 * (Math.max(-1, Math.min(1, label)) + 1))].map((channel) => channel * 0.82);
      context.fillStyle = `rgb(${strong.join(",")})`;
      context.strokeStyle = n < points.train ? "#ffffff" : "#111111";
      context.beginPath();
      if (n < points.train) context.arc(at(x), at(-y), 5.2, 0, 2 * Math.PI);
      else context.rect(at(x) - 4.4, at(-y) - 4.4, 8.8, 8.8);
      context.fill();
      context.stroke();
    }
  }

  function drawCurves() {
    const count = frame.losses.length / 3, [steps, train, test] = [0, 1, 2].map((k) => frame.losses.subarray(k * count, (k + 1) * count));
    const top = Math.max(0.05, ...train, ...test) * 1.05, last = Math.max(1, steps[count - 1] ?? 1);
    const path = (values) => Array.from(values, (value, n) => `${n ? "L" : "M"}${(260 * steps[n] / last).toFixed(1)},${(75 - 74 * value / top).toFixed(1)}`).join("");
    trainCurve.setAttribute("d", path(train));
    testCurve.setAttribute("d", path(test));
    const half = controls.problem === "classification" && top > 0.5;
    baseline.setAttribute("visibility", half ? "visible" : "hidden");
    for (const end of ["y1", "y2"]) baseline.setAttribute(end, (75 - 37 / top).toFixed(1));
  }

  // --- frame and foot --------------------------------------------------------------------------------

  const live = make("div", { class: "dlp-hidden", "aria-live": "polite", "data-key": "live" });
  const status = make("div", { class: "dlp-status", role: "status" });
  const about = make("div");
  const root = make("section", { class: "dlp", "aria-label": "network playground" },
    bar, make("div", { class: "dlp-main" }, side, network, output),
    make("div", { class: "dlp-foot" }, about, status), live, tip);
  el.append(make("div", { class: "dlp-box" }, root));

  const say = (text) => { status.textContent = text; };

  function speak(force) { // for a screen reader, not more often than every 3 s
    if (!frame || (!force && Date.now() - spoken < 3000)) return;
    spoken = Date.now();
    const text = `Epoch ${frame.epoch}: training loss ${number(frame.train_loss)}, test loss ${number(frame.test_loss)}`
      + (frame.accuracy === undefined ? "" : `, ${Math.round(100 * frame.accuracy)} percent of the test points right`);
    live.textContent = text;
    picture.setAttribute("aria-label", `Output of the network over the plane, ${controls.dataset} data. ${text}.`);
    curves.setAttribute("aria-label", `Loss curves. ${text}.`);
  }

  function drawControls() {
    const before = controls;
    controls = model.get("controls");
    for (const name of ["speed", "activation", "learning_rate", "batch_size", "regularization", "regularization_rate", "problem"]) setSelect(name, controls[name]);
    selects.regularization_rate.element.disabled = controls.regularization === "none";
    noise.set(controls.noise);
    share.set(controls.test_share);
    const train = controls.points - Math.round(controls.points * controls.test_share);
    size.textContent = `${train} training and ${controls.points - train} test points`;
    about.textContent = `Initial weights: seed ${controls.start} \u00b7 data: seed ${controls.seed} \u00b7 blue is +1 and solid, orange \u22121 and dashed; point at a line or a neuron for its numbers`;
    drawSets();
    const shape = (c) => JSON.stringify([c.features, c.hidden]);
    if (!neurons.built || shape(before) !== shape(controls)) {
      if (before.version !== controls.version) frame = null;
      looked = null;
      tell(null);
      rebuild();
      neurons.built = true;
    }
  }

  function drawSets() {
    const names = choices.datasets[controls.problem];
    if (sets.dataset.problem !== controls.problem) {
      sets.dataset.problem = controls.problem;
      sets.replaceChildren(...names.map((name) => make("button", { "data-key": `dataset ${name}`, "data-name": name, onclick: () => change({ dataset: name }) }, make("canvas", { width: 88, height: 88 }), LABELS[name] ?? name)));
    }
    for (const button of sets.children) {
      button.setAttribute("aria-pressed", String(button.dataset.name === controls.dataset));
      const values = thumbnails[`${controls.problem} ${button.dataset.name}`];
      if (!values || button.dataset.drawn) continue;
      button.dataset.drawn = "yes";
      const context = button.querySelector("canvas").getContext("2d");
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, 88, 88);
      for (let n = 0; n < values.length / 3; n++) {
        const [x, y, label] = values.subarray(3 * n, 3 * n + 3);
        context.fillStyle = `rgb(${PALETTE[Math.round(127.5 * (label + 1))].map((c) => c * 0.9).join(",")})`;
        context.beginPath();
        context.arc((x / 6.4 + 1) * 44, (1 - y / 6.4) * 44, 3.4, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  function drawRunning() {
    const running = model.get("running");
    play.textContent = running ? "\u275a\u275a Pause" : "\u25b6 Train";
    play.setAttribute("aria-label", running ? "pause the training" : "train");
  }

  function drawFrame() {
    epoch.textContent = String(frame.epoch);
    testLoss.textContent = number(frame.test_loss);
    trainLoss.textContent = number(frame.train_loss);
    right.textContent = frame.accuracy === undefined ? "–" : `${(100 * frame.accuracy).toFixed(1)} %`;
    let n = 0;
    for (const layer of neurons) for (const { canvas } of layer) { paint(canvas, frame.hidden.subarray(1024 * n, 1024 * (n + 1)), 32); n += 1; }
    drawWeights();
    drawCurves();
    drawPicture();
    speak(!model.get("running"));
    drawn += 1;
    root.dataset.drawn = String(drawn);
    root.dataset.epoch = String(frame.epoch);
  }

  function receive(content, buffers) {
    if (content.kind === "thumbnails") {
      content.names.forEach(([problem, dataset], n) => { thumbnails[`${problem} ${dataset}`] = floats(buffers[n]); });
      inputs = bytes(buffers[buffers.length - 1]).slice();
      choices.features.forEach((name, row) => { if (featureButtons[name]) paint(featureButtons[name], inputs.subarray(row * 1024, (row + 1) * 1024), 32); });
      drawSets();
    } else if (content.kind === "points") {
      points = { values: floats(buffers[0]), train: content.train };
      drawPicture();
    } else if (content.kind === "frame") {
      send("drawn");
      if (content.version !== model.get("controls").version) return;
      frame = { ...content, picture: bytes(buffers[0]), hidden: bytes(buffers[1]), weights: floats(buffers[2]), losses: floats(buffers[3]) };
      drawFrame();
    }
  }

  const onStatus = () => say(model.get("status"));
  model.on("change:controls", drawControls);
  model.on("change:running", drawRunning);
  model.on("change:status", onStatus);
  model.on("msg:custom", receive);
  const watch = new ResizeObserver(() => lay());
  watch.observe(network);
  drawControls();
  drawRunning();
  onStatus();
  send("hello");

  return () => {
    watch.disconnect();
    model.off("change:controls", drawControls);
    model.off("change:running", drawRunning);
    model.off("change:status", onStatus);
    model.off("msg:custom", receive);
    send("gone");
  };
}

export default { render };
