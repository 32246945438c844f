"""How fast the page answers while a digit is being drawn, and whether it stands still meanwhile.

    python build.py bench latency [--digits 20]

Real pointer events, 120 a second, along digits. For every event: the time until the bars show the answer to an ink that
contains it (the element's `change`, fired when their aria-valuenow are set). The worker's share is a request's way to it and its work;
the way back, counted apart, ends when the page has time to hear of it: in between it paints the stroke. Each digit is drawn twice, as
usual and while whole numbers are read. While the pen is down nothing is looked at twice; the answers that come when it is lifted,
for which the network may, are a row of their own.
"""

import argparse

from chromium import DIGITS, QUIET, chromium, conditions, draw_digit, pad_box, percentile, served, table, wait_for

WARM_UP = 10  # digits drawn before measuring, as someone does within the first half minute
HERTZ = 120

# Notes, without changing what the page does: pointer events, requests and replies, answers shown, long tasks.
WATCH = """
window.seen = { events: [], trips: [], last: [], shown: [], blocked: [] };
new PerformanceObserver((list) => list.getEntries().forEach((entry) => seen.blocked.push(entry.duration)))
  .observe({ type: "longtask", buffered: true });
for (const type of ["pointerdown", "pointermove"]) {
  addEventListener(type, (event) => event.buttons && seen.events.push(event.timeStamp), { capture: true });
}
window.Worker = class extends Worker {
  #sent = new Map();
  constructor(...values) {
    super(...values);
    this.addEventListener("message", ({ data }) => {
      if (!this.#sent.has(data.id) || !data.times) return;
      const [{ sent, once }, [arrived, answered], heard] = [this.#sent.get(data.id), data.times, performance.timeOrigin + performance.now()];
      (once ? seen.trips : seen.last).push([arrived - sent, answered - arrived, answered - sent, heard - answered]);
    });
  }
  postMessage(message, ...rest) {
    if (message.name === "predict") this.#sent.set(message.id, { sent: performance.timeOrigin + performance.now(), once: message.once });
    super.postMessage(message, ...rest);
  }
};
addEventListener("change", ({ target, detail }) => {
  if (target.localName === "digit-recognizer" && detail) seen.shown.push([seen.answers.get(detail), performance.now()]);
}, { capture: true });
seen.answers = new Map();
"""

# Goes before the worker's own script: each answer says when its request arrived, and when it was sent itself.
WATCH_WORKER = """
{
  const [arrived, { postMessage }, now] = [new Map(), self, () => performance.timeOrigin + performance.now()];
  addEventListener("message", ({ data }) => data.name === "predict" && arrived.set(data.id, now()));
  self.postMessage = (message, ...rest) => {
    if (arrived.has(message.id) && "ok" in message) message.times = [arrived.get(message.id), now()];
    postMessage.call(self, message, ...rest);
  };
}
"""

# Which ink an answer belongs to: that of the moment when it was asked for.
FOLLOW = """(element) => {
  const { recognizer } = element, predict = recognizer.predict.bind(recognizer);
  recognizer.predict = async (...values) => {
    const asked = performance.now();
    const answer = await predict(...values);
    seen.answers.set(answer, asked);
    return answer;
  };
}"""

# What was noted since it was last taken.
TAKE = """(() => {
  const { events, trips, last, shown } = seen;
  Object.assign(seen, { events: [], trips: [], last: [], shown: [] });
  return { events, trips, last, shown };
})()"""


def latencies(events: list[float], shown: list[list[float]]) -> list[float]:
    """For each event the time until the first answer that was asked for after it had been shown; ms."""
    answers = sorted((asked, at) for asked, at in shown if asked is not None)
    return [min(at for asked, at in answers if asked >= event) - event for event in events if event <= answers[-1][0]]


def watch_worker(route) -> None:
    response = route.fetch()
    route.fulfill(response=response, body=WATCH_WORKER + response.text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=20, help="digits drawn while measuring, each way (default 20)")
    options = parser.parse_args()
    with served() as url, chromium(*QUIET) as browser:
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.route("**/js/worker.js", watch_worker)
        page.goto(url)
        wait_for(page, "Boolean(document.querySelector('digit-recognizer')?.recognizer)")
        element = page.locator("digit-recognizer")
        element.evaluate(FOLLOW)
        box = pad_box(page)

        def draw(digit: int, numbers: bool = False) -> None:
            element.evaluate("(element, on) => element.toggleAttribute('numbers', on)", numbers)
            draw_digit(page, digit, box, hertz=HERTZ)
            wait_for(page, "document.querySelector('digit-recognizer').shadowRoot.querySelector('[data-testid=prediction]').ariaBusy === 'false'")
            page.get_by_test_id("clear").click()

        for i in range(WARM_UP):
            draw(i % 10, numbers=i % 2 == 1)
        page.evaluate("seen.blocked.splice(0)")
        page.evaluate(TAKE)
        waits, trips, last = {False: [], True: []}, {False: [], True: []}, {False: [], True: []}
        for i in range(options.digits):
            for numbers in (False, True):  # in turns, so that what else the machine does meets both
                draw(i % len(DIGITS), numbers)
                seen = page.evaluate(TAKE)
                waits[numbers] += latencies(seen["events"], seen["shown"])
                trips[numbers] += seen["trips"]
                last[numbers] += seen["last"]
        blocked = page.evaluate("seen.blocked")

    counts = [f"{len(waits[numbers])} events, {len(trips[numbers]) + len(last[numbers])} answers" for numbers in (False, True)]
    print(f"\n{options.digits} digits at {HERTZ} pointer events a second after {WARM_UP} to warm up: {counts[0]}; and again, in turns, "
          f"while whole numbers are read: {counts[1]}.")
    print(f"{conditions()}\n")
    there, work, both, back = zip(*trips[False])
    _, work_numbers, both_numbers, _ = zip(*trips[True])
    work_last, work_last_numbers = ([work for _, work, _, _ in last[numbers]] for numbers in (False, True))
    rows = [
        [name, *(f"{percentile(list(values), p):.1f}" for p in (50, 95, 100))]
        for name, values in (
            ("pointer event to bars", waits[False]),
            ("worker, from the page's request to its answer", both),
            ("of that, until it has the request", there),
            ("of that, preprocess, forward, and what Python and JavaScript hand over", work),
            ("until the page, which paints, hears of it", back),
            ("when the pen is lifted, with a second look at what is doubtful: preprocess, forward ...", work_last),
            ("while whole numbers are read: pointer event to bars", waits[True]),
            ("while whole numbers are read: worker", both_numbers),
            ("while whole numbers are read: of that, preprocess, forward ...", work_numbers),
            ("while whole numbers are read: when the pen is lifted, preprocess, forward ...", work_last_numbers),
        )
    ]
    print(table(["ms", "median", "p95", "most"], rows))
    blocked = ", ".join(f"{value:.0f}" for value in blocked)
    print(f"\nTasks over 50 ms on the main thread while drawing: {f'{blocked} ms' if blocked else 'none'}. (While loading: bench boot.)")


if __name__ == "__main__":
    main()
