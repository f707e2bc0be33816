"""The playground in JupyterLab, in headless Chromium: every control is used, and state and picture follow.

The pictures are left in `.work/screenshots` for a person to look at, with the measured rates beside them.
"""

import json
import re
import time

import nbformat
import pytest
from laboratory import CHROMIUM, PICTURES, chromium, jupyterlab, opened, run_all

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
]

FIRST = "from dlphys import playground\nfirst = playground.show(playground.Settings(hidden=(4,)))"
SECOND = 'second = playground.show(playground.Settings(dataset="gauss", hidden=()), seed=5)'
ASK = (
    "run, seed = first.run, first.seed\n"
    "again = playground.train(run.settings, epochs=run.epochs, seed=seed)\n"
    'print("same:", (again.train_loss == run.train_loss).all(), run.epochs, second.run.epochs)'
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (FIRST, SECOND)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name in ("controls", "two", "rates"):
        nbformat.write(book, folder / f"{name}.ipynb")
    with jupyterlab(folder) as address:
        yield address


# ratio of luminances to the background, as the Web Content Accessibility Guidelines define it
CONTRAST = """() => {
    const part = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = (text) => {
        const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((v) => part(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = (query) => getComputedStyle(document.querySelector(query));
    const ground = light(style(".dlp").backgroundColor);
    const ratio = (query, property) => {
        const value = light(style(query)[property]);
        return (Math.max(value, ground) + 0.05) / (Math.min(value, ground) + 0.05);
    };
    return {text: ratio(".dlp", "color"), faint: ratio(".dlp-count", "color"),
            positive: ratio(".dlp-positive", "stroke"), negative: ratio(".dlp-negative", "stroke")};
}"""


class Widget:
    """One playground on the page."""

    def __init__(self, page, number=0):
        self.page = page
        self.root = page.locator(".dlp").nth(number)

    def key(self, name):
        return self.root.locator(f'[data-key="{name}"]')

    def press(self, name):
        self.key(name).click()

    def choose(self, name, label):
        self.key(name).select_option(label=label)

    def chosen(self, name):
        return self.key(name).evaluate("select => select.selectedOptions[0].textContent")

    @property
    def epoch(self):
        return int(self.root.get_attribute("data-epoch"))

    @property
    def drawn(self):
        return int(self.root.get_attribute("data-drawn"))

    @property
    def picture(self):
        return self.root.locator(".dlp-plot canvas").evaluate("canvas => canvas.toDataURL()")

    @property
    def lines(self):
        return self.root.locator("path.line").count()

    @property
    def neurons(self):
        return self.root.locator(".dlp-neuron").count()

    def wait(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what}: not within {seconds} s; status {self.status!r}"
            self.page.wait_for_timeout(20)

    @property
    def status(self):
        return self.root.locator(".dlp-status").text_content()

    @property
    def foot(self):
        return self.root.locator(".dlp-foot").text_content()

    def changed(self, act, what):
        """The large picture is another one after ``act``."""
        before = self.picture
        act()
        self.wait(lambda: self.picture != before, what)

    def shot(self, name):
        self.root.scroll_into_view_if_needed()
        self.page.screenshot(path=PICTURES / f"playground_{name}.png")


@pytest.fixture
def errors():
    """What the page complained about."""
    return []


def started(page, address, errors):
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened(page, address)
    run_all(page)
    widgets = Widget(page, 0), Widget(page, 1)
    for widget in widgets:
        widget.root.wait_for()
        widget.wait(lambda widget=widget: widget.root.get_attribute("data-drawn") is not None, "the first picture")
    return widgets


def test_every_control_changes_state_and_picture(lab, errors):
    with chromium() as page:
        one, _ = started(page, lab("controls.ipynb"), errors)
        one.shot("opened")
        assert (one.epoch, one.lines, one.neurons) == (0, 12, 4)

        one.changed(lambda: one.press("step"), "step")
        one.wait(lambda: one.epoch == 1, "one epoch")
        one.changed(lambda: one.press("play"), "train")
        one.wait(lambda: one.epoch > 60, "sixty epochs")
        assert "Pause" in one.key("play").text_content()
        one.press("play")
        one.wait(lambda: "Train" in one.key("play").text_content(), "pause")
        page.wait_for_timeout(300)
        epoch = one.epoch
        page.wait_for_timeout(300)
        assert one.epoch == epoch, "it trains although it is paused"
        assert float(one.key("test loss").text_content()) < 0.5
        assert re.search(rf"Epoch {epoch}: training loss 0\.\d+", one.key("live").text_content())
        one.shot("trained")
        one.changed(lambda: one.press("reset"), "reset")
        one.wait(lambda: one.epoch == 0 and "seed 2" in one.foot, "reset")

        for name, label in (
            ("activation", "tanh"),
            ("problem", "Regression"),
            ("learning_rate", "0.1"),
            ("batch_size", "20"),
            ("speed", "1000"),
        ):
            one.choose(name, label)
            one.wait(lambda name=name, label=label: one.chosen(name) == label, name)
        assert one.root.locator(".dlp-sets button").count() == 2
        one.changed(lambda: one.press("dataset gauss"), "hills")
        one.press("play")
        one.wait(lambda: one.epoch > 300, "hills")
        one.press("play")
        one.shot("regression")
        one.choose("problem", "Classification")
        one.wait(lambda: one.root.locator(".dlp-sets button").count() == 4, "classification")

        for name in ("circle", "gauss", "spiral", "checkerboard"):
            one.changed(lambda name=name: one.press(f"dataset {name}"), name)
            assert one.key(f"dataset {name}").get_attribute("aria-pressed") == "true"
        one.changed(lambda: one.key("noise").fill("25"), "noise")
        one.wait(lambda: "25 %" in one.root.locator(".dlp-side").text_content(), "noise")
        one.changed(lambda: one.key("test_share").fill("20"), "share")
        one.wait(lambda: "400 training and 100 test points" in one.root.text_content(), "share")
        one.changed(lambda: one.press("points"), "other points")

        assert one.key("regularization_rate").is_disabled()
        one.choose("regularization", "L1")
        one.wait(lambda: one.key("regularization_rate").is_enabled(), "L1")
        one.choose("regularization_rate", "0.03")
        one.wait(lambda: one.chosen("regularization_rate") == "0.03", "rate")
        one.press("play")
        one.wait(lambda: one.epoch > 500, "with L1")
        gone = one.root.locator('path.line[stroke-width="0"]').count()
        one.press("play")
        one.choose("regularization", "none")
        one.wait(lambda: one.chosen("regularization_rate") == "0", "no penalty")
        assert gone >= 1, "weights of exactly zero are not drawn"

        one.press("layers+")
        one.wait(lambda: one.neurons == 8, "a second layer")
        one.press("neurons+ 1")
        one.wait(lambda: one.neurons == 9, "a neuron more")
        one.press("neurons- 0")
        one.wait(lambda: one.neurons == 8, "a neuron less")
        one.press("feature x1*x2")
        one.wait(lambda: one.lines == 3 * 3 + 3 * 5 + 5, "a third feature")
        one.press("feature x1")
        one.wait(lambda: one.lines == 2 * 3 + 3 * 5 + 5, "a feature less")
        one.press("feature x2")
        one.press("feature x1*x2")
        one.wait(lambda: "At least one feature" in one.status, "the last feature stays")
        for _ in range(4):
            one.press("layers+")
            page.wait_for_timeout(200)
        one.wait(lambda: one.root.locator(".dlp-column").count() == 6, "six layers")
        assert one.key("layers+").is_disabled()
        one.shot("six_layers")
        for left in range(5, -1, -1):
            one.press("layers-")
            one.wait(lambda left=left: one.root.locator(".dlp-column").count() == left, f"{left} layers")
        assert one.key("layers-").is_disabled()

        one.changed(lambda: one.press("show test"), "test points")
        one.changed(lambda: one.press("discretise"), "sign only")
        one.press("layers+")
        one.wait(lambda: one.neurons == 4, "four neurons")
        one.press("step")
        one.wait(lambda: one.epoch == 1, "step")
        one.changed(lambda: one.key("neuron 0 1").hover(), "a neuron in the large picture")
        assert "bias:" in one.root.locator(".dlp-tip").text_content()
        assert "Output of neuron 2 of layer 1" in one.root.text_content()
        line = one.root.locator("path.hit").first
        x, y = line.evaluate("""path => {
            const point = path.getPointAtLength(0.4 * path.getTotalLength());
            const box = path.ownerSVGElement.getBoundingClientRect();
            return [box.left + point.x, box.top + point.y];
        }""")
        page.mouse.move(x, y)
        assert re.search(r"weight from .* to neuron \d of layer 1: [+−]\d", one.root.locator(".dlp-tip").text_content())
        assert errors == []


def test_keyboard_alone_is_enough_and_dark_mode_is_readable(lab, errors):
    with chromium(width=900, height=1000) as page:
        one, _ = started(page, lab("two.ipynb"), errors)
        one.key("reset").focus()
        seen = []
        for _ in range(60):
            seen.append(page.evaluate("document.activeElement.dataset.key ?? ''"))
            page.keyboard.press("Tab")
            if not one.root.evaluate("root => root.contains(document.activeElement)"):
                break
        controls = one.root.locator("button:enabled, select:enabled, input, .dlp-neuron").count()
        assert len(set(seen)) == len(seen) == controls, "Tab reaches every control once, in the order of the page"

        one.key("play").focus()
        page.keyboard.press("Space")
        one.wait(lambda: one.epoch > 20, "Space trains")
        page.keyboard.press("Space")
        one.wait(lambda: "Train" in one.key("play").text_content(), "Space pauses")
        one.key("noise").focus()
        page.keyboard.press("ArrowRight")
        one.wait(lambda: "5 %" in one.root.locator(".dlp-side").text_content() and one.epoch == 0, "an arrow key")
        assert page.evaluate("document.activeElement.dataset.key") == "noise", "the arrow key moved to another cell"
        one.key("neurons+ 0").focus()
        page.keyboard.press("Enter")
        one.wait(lambda: one.neurons == 5, "Enter adds a neuron")
        assert page.evaluate("document.activeElement.dataset.key") == "neurons+ 0", "the focus is lost on a change"
        one.key("neuron 0 0").focus()
        assert "bias" in one.key("neuron 0 0").get_attribute("aria-label")
        fits = "root => root.scrollWidth <= root.clientWidth + 1 && root.parentNode.clientWidth >= root.offsetWidth"
        for name in ("side_bar", "900"):
            page.wait_for_timeout(1000)
            assert one.root.evaluate(fits), f"cut at a width of 900 px, {name}"
            one.shot(name)
            page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")

        page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
        one.wait(lambda: page.evaluate("document.body.dataset.jpThemeLight") == "false", "dark theme")
        page.wait_for_timeout(500)
        one.press("play")
        one.wait(lambda: one.epoch > 60, "in the dark")
        one.press("play")
        contrast = page.evaluate(CONTRAST)
        assert contrast["text"] > 7
        assert contrast["faint"] > 4.5
        assert min(contrast["positive"], contrast["negative"]) > 3
        one.shot("dark")
        assert errors == []


def test_two_playgrounds_do_not_disturb_each_other_and_an_interrupt_stops_both(lab, errors):
    with chromium() as page:
        one, two = started(page, lab("rates.ipynb"), errors)
        still = two.picture
        one.press("play")
        one.wait(lambda: one.epoch > 30, "the first")
        assert (two.epoch, two.picture) == (0, still)
        two.press("play")
        two.wait(lambda: two.epoch > 30, "the second")
        before = one.epoch
        one.wait(lambda: one.epoch > before, "both at once")
        page.evaluate("window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
        for widget in (one, two):
            widget.wait(lambda widget=widget: "Train" in widget.key("play").text_content(), "interrupt")
        assert "interrupt" in one.status + two.status

        page.locator(".jp-Notebook .jp-CodeCell").last.click(position={"x": 100, "y": 10})
        page.evaluate("window.jupyterapp.commands.execute('notebook:insert-cell-below')")
        page.wait_for_timeout(500)
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
        page.keyboard.insert_text(ASK)
        one.press("play")
        one.wait(lambda: one.epoch > before + 30, "it goes on")
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").last.click()
        page.keyboard.press("Shift+Enter")
        answer = page.locator(".jp-OutputArea-output", has_text="same:")
        answer.wait_for()
        assert "same: True" in answer.text_content(), "train() gives what the widget shows, also while it trains"
        one.press("play")
        one.wait(lambda: "Train" in one.key("play").text_content(), "pause")

        rates = {}
        for count in range(4):  # 2-8-8-1
            one.press("neurons+ 0")
            one.wait(lambda count=count: one.neurons == 5 + count, "neurons")
        one.press("layers+")
        one.wait(lambda: one.neurons == 16, "2-8-8-1")
        for speed in ("100", "no limit"):
            one.choose("speed", speed)
            one.wait(lambda speed=speed: one.chosen("speed") == speed, "speed")
            one.press("play")
            one.wait(lambda: one.epoch > 10, "training")
            start, epoch, drawn = time.monotonic(), one.epoch, one.drawn
            page.wait_for_timeout(3000)
            epochs, pictures, seconds = one.epoch - epoch, one.drawn - drawn, time.monotonic() - start
            rates[speed] = {"epochs per second": epochs / seconds, "pictures per second": pictures / seconds}
            one.press("play")
            one.wait(lambda: "Train" in one.key("play").text_content(), "pause")
        one.shot("two")
        (PICTURES / "playground_rates.json").write_text(json.dumps(rates, indent=1) + "\n")
        print(rates)
        assert rates["no limit"]["epochs per second"] > 60
        assert rates["no limit"]["pictures per second"] > 2, "goal: 10, on an idle machine"

        page.locator(".jp-Notebook .jp-CodeCell").first.click(position={"x": 100, "y": 10})
        one.press("play")
        page.evaluate("window.jupyterapp.commands.execute('notebook:delete-cell')")
        two.page.wait_for_timeout(500)
        assert page.locator(".dlp").count() == 1, "the other one stays"
        assert errors == []
